# ruff: noqa: E501  (a pattern is read best on one line)
"""Grave things said quietly: leaving weighed, a promise overdue, danger told as a fact. Written, not measured."""

from heardback_scoring.domain.cues import CueRule, stems

_WE = r"(?:i|we|our (?:\w+ )?(?:team|board|management|director|company))"
_OTHERS = r"(?:other|alternative|different|new|another|your|competing|rival) (?:vendor|provider|supplier|partner|bank|insurer|carrier|platform|agenc|compan|competitor|tool)(?:s|y|ies)?"
_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|tomorrow|yesterday|today|(?:last|this|next) (?:week|month)|january|february|march|april|may|june|july|august|september|october|november|december|noon|\d+"
_OVERDUE = r"(?:it is|it's|that was|this is|still|nothing|now|but|yet|so far|until now|to date|today is|we are|i am|no)"
_PERSON = r"(?:mother|father|mum|mom|dad|son|daughter|child|kid|baby|toddler|wife|husband|grand\w+|colleague|employee|guest|dog)"
_DEVICE = r"(?:battery|charger|adapter|adaptor|phone|laptop|device|machine|dryer|oven|toaster|heater|kettle|cable|plug|socket|engine|scooter|bike|car|appliance|unit|boiler|blanket)"
_FIRM = r"(?:\w+ )?(?:bank|insur\w+|provider|supplier|shop|store|gym|carrier|operator|vendor|company|agency|broker|platform|network|hotel|airline|utility|brand|dealer|manufacturer|partner|firm|practice|school|garage|seller|retailer)"
_OURS = r"(?:my|our|his|her) (?:\w+ ){0,2}(?:data|details|information|address|records?|files?|account|number|diagnosis|salary|invoices?|reports?|results?|documents?|statements?|letters?|prescriptions?|photos?)"
_STRANGER = r"(?:another|other|someone|somebody|a (?:stranger|third)|third part|strangers|the wrong|my ex|her ex|his ex|my (?:neighbou?r|boss|employer|landlord|husband|wife|family))"
_REMEDY = r"(?:insulin|dialysis|inhaler|medication|medicine|oxygen|pacemaker|epi-?pen|heart (?:pills|tablets)|antibiotics|chemo\w*)"

QUIET: tuple[CueRule, ...] = (
    CueRule(
        "wants_to_leave",
        0.9,
        stems(
            "another different new switch switching switched move moving moved changing change transferring notice ending end terminate terminating termination cancel cancelling phasing winding stop extend extending extension renew renewed prolong"
        ),
        deniable=(
            r"\b(?:end(?:ing)?|terminat(?:e|ing)|cancel(?:l?ing)?|wind(?:ing)? down|phas(?:e|ing) out|stop(?:ping)?|termination of|notice on) (?:our|the|this|my) (?:\w+ )?(?:agreement|cooperation|collaboration|partnership|business relation\w*|relationship|contract|engagement)\b",
            rf"\b(?:switch(?:ing|ed)?|mov(?:e|ing|ed)|chang(?:e|ing|ed)|transferr?(?:ing|ed)?|going)(?: (?:everything|over|all|our|my|\w+ account|\w+ business|\w+ contract))* to (?:another|a different|a new|some other) {_FIRM}\b",
            rf"\b(?:found|chosen|chose|signed (?:up )?with|went with|go with|gone with|joined|hired) (?:another|a different|a new|a better|some other|a cheaper) {_FIRM}\b",
            r"\b(?:accept|consider|take|treat) this (?:\w+ )?as (?:our|my|formal|a|the|due)? ?(?:\w+ )?notice\b",
            r"\b(?:giv(?:e|ing)|hand(?:ing)? in|serv(?:e|ing)) (?:you )?(?:our |my |formal |due )?notice\b",
        ),
        patterns=(
            r"\b(?:will|do|shall|are|am|would) not (?:be )?(?:extend|prolong|renew)(?:ing)? (?:our|the|this|my|it)\b",
            r"\b(?:decided|decision) (?:against|not) (?:to )?(?:extend|prolong|renew|continu)(?:e|ing)?\b",
        ),
        examples=(
            "Please accept this as notice that we are ending our agreement.",
            "We have decided not to extend.",
            "We will not be extending our contract.",
            "We hereby give notice.",
            "After fifteen years I am switching to another bank.",
            "We have signed with a different supplier.",
        ),
        counterexamples=("We do not want to end our cooperation.", "Thank you for the notice."),
    ),
    CueRule(
        "not_working",
        0.85,
        stems(
            "arrived came delivered received pieces broken damaged smashed shattered crushed cracked leaking torn empty"
        ),
        patterns=(
            r"\b(?:arrived|came|delivered|received|turned up|were|was)(?: \w+){0,3} (?:in (?:\w+ )?pieces|smashed|shattered|crushed|torn|damaged|leaking)\b",
            r"\b(?:arrived|came|delivered) (?:\w+ ){0,2}(?:broken|cracked|empty)\b",
        ),
        examples=("All six cups arrived in pieces.", "The box came half empty."),
        counterexamples=("Everything arrived on time.", "It came in a small box."),
    ),
    CueRule(
        "wants_to_leave",
        0.7,
        stems(
            "looking look evaluating evaluation evaluate alternatives alternative competitor competitors vendor vendors provider "
            "part parted expire lapse run whether reconsider reconsidering rethink review unsure sure convinced move onboarding offers gone lose losing chance quotes quote offer tender supplier suppliers comparing"
        ),
        deniable=(
            rf"\b(?:look|looking|looked|shopping|shop|searching) (?:at|for|around for|into|to) (?:an? )?(?:few |some )?{_OTHERS}\b",
            r"\b(?:look|looking|looked|searching) (?:at|for|into) (?:an? )?(?:alternatives?|competitors?)(?= to you|\W*$|[.,;!]| and | if | from | as )",
            rf"\b(?:evaluat|compar|consider|review|test)(?:e|ing|ion of|es) (?:an? )?{_OTHERS}\b",
            rf"\b(?:evaluation|comparison|tender|offers?|quotes?) (?:of|with|from|for) (?:an? |some |two |three )?{_OTHERS}\b",
            r"\b(?:talk|talking|spoken|speaking|in talks|met|meeting) (?:to|with) (?:your |one of your |a |some of your )?(?:biggest )?competitors?\b",
            r"\b(?:let|letting) (?:the|our|my|this) (?:contract|subscription|agreement|membership|policy|plan) (?:run out|expire|lapse)\b",
            r"\b(?:part(?:ed|ing)? ways|part company)\b",
            rf"\b(?:whether|if) (?:{_WE}|to) (?:should |will |shall |can |really |still |want to |are going to )*(?:continue|stay|renew|carry on|keep working|remain)(?! (?:the call|to (?:see|get|have|receive)))\b",
            r"\b(?:reconsider|rethink|reassess|re-evaluat)(?:e|ing)? (?:our|my|the|this|working) (?:\w+ )?(?:contract|relationship|partnership|subscription|renewal|cooperation|membership|agreement|with you)\b",
            rf"\b(?:not sure|unsure|doubt|not convinced)(?: that| whether| if)? {_WE} (?:will|would|can|should|want to|are going to) (?:continue|stay|renew|order|buy|come back|keep)\b",
        ),
        patterns=(
            r"\b(?:i|we|i'm|we're|i'll|we'll)(?: am| are| will be| be)? gone(?=\W*$|[.!;])",
            r"\b(?:you|you'll|you are|you're|will|going to|about to)(?: \w+){0,2} los(?:e|ing) (?:us|me|our (?:business|custom|account)|my (?:business|custom)|a (?:\w+ ){0,2}(?:customer|client))\b",
            r"\b(?:(?:your|the|a) last chance)\b",
        ),
        examples=(
            "If this is not solved by Friday we are gone.",
            "You are about to lose our business.",
            "We are looking at other vendors.",
            "We are looking for alternatives.",
            "We are comparing other providers.",
            "We have quotes from other suppliers.",
            "I met with one of your competitors.",
            "We are reconsidering our contract.",
            "This is your last chance.",
            "Our board asked me to review whether we continue with you.",
            "We will let the contract run out in March.",
            "It may be time we parted ways.",
            "I am not sure we will renew.",
        ),
        counterexamples=(
            "I am looking for an alternative delivery date.",
            "We are not looking at other vendors.",
            "Tell me whether I should continue the call.",
        ),
    ),
    CueRule(
        "broken_promise",
        0.7,
        stems(
            "told said confirmed committed commitment agreed agreement assured promised due overdue deadline announced lied sla "
            "slas service contract policy offer plan schedule roadmap missed breached breach breaching broke broken violated violating"
        ),
        patterns=(
            rf"\b(?:you|they|he|she|your (?:\w+ )?(?:team|colleague|agent|manager|support)) (?:said|confirmed|announced|told (?:me|us))(?: \w+){{0,5}} (?:{_DAY})\b[^.!?]{{0,20}}[.!?,;:–-]+ ?{_OVERDUE}\b",
            rf"\b(?:(?:was|were|been) told|assured|promised)\b[^.!?]{{0,60}}\b(?:would|will)\b[^.!?]{{0,60}}[.!?,;:–-]+ ?{_OVERDUE}\b",
            rf"\b(?:as|was|were|we|had|time|date|deadline)(?: we)? (?:been )?agreed\b[^.!?]{{0,80}}[.!?,;]? ?(?:{_OVERDUE}|never|has not|hasn't|have not|haven't|did not|didn't)\b[^.!?]{{0,40}}\b(?:arriv|receiv|happen|been|done|come|came|sent|late|open|miss|wait|nothing)\w*",
            r"\b(?:you|they|your (?:\w+ )?team|had|have|was|were) committed (?:to|for)\b[^.!?]{0,100}\b(?:still|not|never|yet|overdue|late|missing)\b",
            r"\b(?:missed|past|beyond|passed) (?:the|your|our|every|another|this) (?:agreed|promised|committed|own)? ?(?:deadline|delivery date|due date|date|commitment)s?\b",
            r"\blied to (?:me|us|my|our)\b",
            r"\b(?:contract|agreement|slas?|service level|offer|policy) (?:clearly )?(?:says?|states?|guarantees?|promises?|stipulates?|specif(?:y|ies)|was missed|were missed|is not (?:met|kept)|was not (?:met|kept))\b",
            r"\b(?:missed|breach(?:ed|ing)?|broke|broken|violat(?:ed|ing)|outside|beyond) (?:of )?(?:the|your|our) (?:\w+ )?(?:slas?|service level|contract|agreement)\b",
            rf"\b(?:was|were|is|are) (?:originally )?due (?:on |by |in |at |before |for (?:delivery|completion) )?(?:the )?(?:end of |\d+ ?(?:st|nd|rd|th)? (?:of )?)?(?:{_DAY}|two|three|weeks|months)\b[^?]{{0,40}}(?:[.,;]|\bbut\b|\band\b)",
            r"\baccording to (?:your|the) (?:own |agreed |project )?(?:plan|schedule|roadmap|commitment|contract|offer)\b",
            r"\b(?:long|now|days|weeks|months|is|are|well) overdue\b",
            r"\b(?:agreed|promised) (?:\w+ )?(?:time|date|deadline|delivery)s?\b[^.!?]{0,30}\b(?:passed|missed|gone|over|not (?:kept|met)|was)\b",
        ),
        examples=(
            "You said Tuesday. It is Friday.",
            "We were told the fix would ship in October. It is now late November.",
            "As agreed in September, you would send a new contract. Nothing has arrived.",
            "You have missed the agreed deadline.",
            "The delivery was due in October, and we still wait.",
            "According to your own plan it is finished.",
            "The ticket is long overdue.",
            "You assured us that it would be ready this quarter. So far we have not seen anything.",
            "Your agent lied to us.",
            "The contract says two days.",
            "This is a breach of the service level.",
            "The promised date has passed.",
            "Your team committed to the end of October and it is still not there.",
        ),
        counterexamples=(
            "We agreed on a price and it was fine.",
            "You said Tuesday, and it came on Tuesday.",
            "They told me it would take a day and it did.",
        ),
    ),
    CueRule(
        "safety",
        0.75,
        stems(
            "swallowed choked inhaled sparks spark smoke flames blew blown short short-circuit short-circuited burst toxic afraid nearly almost ran knocked crashed drove burn burned burnt burning hot smoking smoked melted melting melt swelled swollen bulging fell slipped tripped collapsed fainted "
            "brakes brake insulin dialysis inhaler medication medicine oxygen pacemaker epipen metal plastic glass mould mold maggots "
            "insects heating newborn baby heart antibiotics chemo chemotherapy epi-pen needle razor sparked sparking nail"
        ),
        deniable=(
            r"\b(?:burn(?:ed|t|s)?|scorch(?:ed)?) (?:an? |two |the |several )?(?:\w+ )?(?:marks?|holes?|table|floor|carpet|wall|fingers?|hands?)\b",
            r"\b(?:too|so|extremely|dangerously|burning|red) hot (?:to touch|that (?:it|i|we) (?:\w+ )?(?:burn|melt|scorch)\w*)\b",
            rf"\b{_DEVICE}(?: \w+){{0,5}} (?:smok(?:ing|ed)|melt(?:ed|ing)|swell(?:ed|ing)|swelled|swollen|bulging|sparked|sparking)\b(?! (?:area|room|policy))",
            r"\bsmell(?:s|ed|ing)? (?:of|like) (?:burning|burnt|gas)\b(?! (?:coffee|sugar|toast))",
            r"\b(?:there (?:were|was|are|is)|saw|threw|gave off|giving off|full of|with|began to|started to|black|thick|white) (?:\w+ )?(?:sparks?|smoke|flames?)\b(?! (?:free|detector|alarm|signal))",
            r"\b(?:short[- ]circuit(?:ed)?|went up in flames|burst into flames|toxic fumes?|afraid to (?:use|touch|drive|eat|take|plug) (?:it|them|this))\b",
            rf"\b(?:my|our|his|her|a|the) {_PERSON}(?: \w+){{0,2}} (?:fell|slipped|tripped|collapsed|fainted|was (?:hurt|cut|burned|burnt))\b(?! (?:for|in love|asleep|apart|behind|through|short))",
            r"\b(?:nearly|almost) (?:ran|run|knocked|injured|hurt|drove|crashed|burned|burnt|electrocuted|suffocated|drowned)\b(?! out)",
            rf"\b(?:ran|run|drove|driven|crashed|backed|knocked) (?:over|into|down) (?:my|our|a|the|his|her) (?:{_PERSON}|pedestrian|cyclist|neighbou?r)\b",
            rf"\b(?:my|our|his|her|the) {_PERSON} (?:\w+ )?(?:nearly|almost|has|had|just)? ?(?:swallowed|choked on|ate|drank|inhaled)\b",
            r"\bi (?:slipped|tripped|fell (?:down|off|over|from|on) (?:the|a|my|your) (?:\w+ )?(?:stairs?|steps?|ladder|chair|floor|lift|bike|scooter|bed|bus|platform|pavement))\b",
            r"\bbrakes? (?:\w+ )?(?:fail(?:ed|s|ing)?|did(?:n't| not) work|do(?:n't| not) work|gave (?:out|way)|stopped working)\b",
            rf"\b{_REMEDY}\b[^.!?]{{0,60}}\b(?:not (?:come|arrived?|been (?:delivered|sent))|never (?:came|arrived)|late|delayed|missing|r[au]n out|wrong|expired|hasn't|without|stuck)\b",
            rf"\b(?:without|out of|no|waiting for|ran out of|need)(?: \w+){{0,3}} {_REMEDY}\b",
            r"\b(?:glass|metal|plastic|mou?ld|maggots?|insects?|needle|razor\w*|nail)(?: \w+)? in (?:my|the|our|a|one|his|her) (?:\w+ )?(?:food|formula|jar|yog\w+|meal|drink|salad|soup|bottle|bread|cereal|milk|pasta|rice|burger|sandwich|cake|pizza|chocolate)\b",
            r"\b(?:no|without|had no) heating\b[^.!?]{0,60}\b(?:baby|newborn|infant|toddler|elderly|year[- ]old|sick|ill)\b",
        ),
        examples=(
            "The adapter got so hot that it burned a mark into our table.",
            "The battery swelled up and started smoking.",
            "The stair lift stopped halfway and my mother fell.",
            "We found mould in the baby food.",
            "There was a piece of metal in my salad.",
            "The brakes failed on the motorway.",
            "You nearly ran over my daughter.",
            "Your driver crashed into our neighbour.",
            "Our baby almost swallowed it.",
            "I slipped on the stairs.",
            "I ran out of my insulin.",
            "We have no heating and a newborn.",
            "The plug went up in flames.",
            "My insulin has not arrived.",
            "The heater smells of burning.",
            "When I plugged it in there were sparks and I am afraid to use it.",
        ),
        counterexamples=(
            "My son fell in love with it.",
            "Smoking is not allowed in the room.",
            "The medicine arrived on time.",
            "The price is too hot to handle.",
        ),
    ),
    CueRule(
        "repeated_contact",
        0.75,
        stems(
            "nobody none one never replied reply replies answered answer answers responded response unanswered reminder reminders ignored "
            "again before open pending outstanding unresolved story explanation"
        ),
        patterns=(
            r"\b(?:nobody|no one|noone|none of you|never)(?: has| have| ever| even)* (?:replied|reply|replies|answered|answers|responded|responds)(?: to)?(?: \w+){0,3} (?:e-?mails?|messages?|calls?|letters?|tickets?|requests?|questions?)\b",
            r"\b(?:no|without (?:a|any)|not (?:a|one)|never (?:got|had|received) (?:a|an|any)) (?:single )?(?:reply|answer|response) (?:to|for) (?:my|our|any|the|this|\w+ (?:days|weeks|months))\b",
            r"\b(?:e-?mails?|messages?|calls?|letters?|tickets?|requests?)(?: \w+){0,3} (?:unanswered|ignored|without (?:a |any )?(?:reply|answer|response))\b",
            r"\b(?:second|third|fourth|fifth|another|final|last) reminder\b",
            r"\b(?:i|we)(?:'ve| have)? (?:raised|reported|mentioned|asked|written|called|complained)(?: \w+){0,5} before\b(?! (?:i|we|you|the|my|it|that)\b)",
            r"\b(?:whole|entire|same) (?:story|thing|history|explanation)(?: all over)? again\b",
            r"\b(?:open|pending|outstanding|unresolved|unanswered) (?:for|since) (?:over |more than |almost |nearly |about )?(?:\w+ )?(?:days|weeks|months|monday|tuesday|wednesday|thursday|friday|last|january|february|march|april|may|june|july|august|september|october|november|december)\b",
            r"\b(?:i|we)(?: am| are|'m|'re| must| have to| need to)? (?:now )?(?:ask|asking|writ(?:e|ing)|request|requesting|report|reporting|chase|chasing)(?: you)?(?: yet| once)? again\b",
        ),
        examples=(
            "Nobody replied to my last two emails.",
            "I sent three messages without any answer.",
            "This is my second reminder.",
            "My ticket is pending for 40 days.",
            "I have to ask again.",
            "My messages were ignored.",
            "We have raised this with you before.",
            "I do not want to go through the whole story again.",
        ),
        counterexamples=(
            "Somebody answered my email within minutes.",
            "Nobody likes waiting.",
        ),
    ),
    CueRule(
        "loss_or_fraud_urgent",
        0.8,
        stems(
            "paying paid shopping buying bought spending spent ordering ordered withdrawing emptied drained cleared account savings pretending pretended impersonating"
        ),
        patterns=(
            r"\b(?:someone|somebody|they|he|she|has|have|was|been|is) (?:just |completely )?(?:emptied|drained|cleared out|cleaned out)(?: of)? (?:my|our|the) (?:\w+ )?(?:account|savings|card|balance)s?\b",
            r"\b(?:someone|somebody|a stranger|strangers)\b[^.!?]{0,40}\b(?:paying|paid|shopping|buying|bought|spending|spent|ordering|ordered|withdrawing) (?:\w+ ){0,3}(?:with|on|from|using|in) my (?:\w+ )?(?:card|account|name|money)\b",
            r"\b(?:account|savings|balance)s? (?:was|were|has been|have been|is|got) (?:\w+ )?(?:emptied|drained|cleaned out)\b",
            r"\b(?:pretend(?:ed|ing) to be|impersonat(?:ed|ing)) (?:you|your|from your|me|the bank|our)\b",
        ),
        examples=(
            "Someone emptied my account.",
            "Somebody is paying with my card.",
            "A caller was pretending to be the bank.",
            "My savings were drained overnight.",
        ),
        counterexamples=("I emptied my basket.", "I cleared my account settings."),
    ),
    CueRule(
        "passed_around",
        0.75,
        stems("pass passes passing sends sending refers referring bounces everybody everyone"),
        patterns=(
            r"\b(?:everybody|everyone|you all|they all|each (?:\w+ )?(?:agent|person|department|team)|all of (?:you|them)) (?:just |only |always )?(?:pass|send|refer|bounce|transfer|forward)(?:es|s)? (?:me|us) (?:on|to|back|around|away)\b",
        ),
        examples=("Everybody passes me on to somebody else.", "They all send me to another desk."),
        counterexamples=("Everybody was kind to me.",),
    ),
    CueRule(
        "privacy_discomfort",
        0.85,
        stems(
            "data address details number information account medical records records file files order orders invoice another someone letter letters statement documents bank "
            "stranger strangers wrong person recipient visible see disclosed disclose shared passed exposed"
        ),
        patterns=(
            rf"\b{_OURS} (?:is |was |are |were |has been |have been )?(?:\w+ )?(?:visible|exposed|disclosed|accessible|leaked)(?: \w+)? (?:to|with|by|publicly|online|in)\b",
            rf"\b{_OURS} (?:is |was |are |were |has been |have been )?(?:shared|sent|given|shown|passed on) (?:to|with) {_STRANGER}\b",
            rf"\b(?:shared|gave|given|disclosed|passed(?: on)?|sent|told|revealed|exposed|leaked) {_OURS} (?:to|with) {_STRANGER}\b",
            r"\b(?:data|details|information|letters?|statements?|documents?|records?|invoices?|address|names?|emails?|accounts?) (?:of|from|belonging to|meant for|intended for|addressed to) (?:another|a different|some other|someone else|somebody else|other|a stranger|strangers)\b(?! (?:shop|provider|bank|company|vendor|supplier))",
            r"\b(?:see|saw|seeing|got|received|shows?|access to|sent me) (?:\w+ )?(?:another|other|someone else's|somebody else's|a different|other people's|a stranger's) (?:customer'?s?|person'?s?|user'?s?|client'?s?|patient'?s?|people'?s?)? ?(?:\w+ )?(?:data|details|information|address|account|invoices?|orders?|records?|names?|documents?)\b",
        ),
        examples=(
            "My data was visible to another customer when I logged in.",
            "Someone in your team shared my address with my ex-husband.",
            "I can see another customer's invoices in my account.",
            "I received a letter with the details of another customer.",
            "You sent my medical report to the wrong person.",
            "My records were given to someone outside.",
        ),
        counterexamples=(
            "I sent my address to the driver myself.",
            "My order was sent to the wrong depot.",
        ),
    ),
)
