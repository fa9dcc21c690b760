# ruff: noqa: E501  (a pattern is read best on one line)
"""Grave facts told plainly: danger, data in wrong hands, loss, a way out taken, an appointment missed."""

from heardback_scoring.domain.cues import CueRule, stems

_NOT_DONE = r"(?:did not|didn't|didnt|have not|haven't|had not|never|do not|don't)"
_COUNT = r"(?:two|three|four|five|six|seven|eight|ten|\d+|several|multiple|many|countless)"
_UTILITY = r"(?:heating|heat|hot water|power|electricity|water|current)"
_FRAIL = r"(?:babies|baby|newborn|infant|toddler|elderly|(?:is|aged) [789]\d|[789]\d[- ]year[- ]old|\d+[- ](?:weeks?|months?)[- ]old|pregnant|wheelchair|disabled|bedridden|dementia|grandmother|grandfather|patients?|residents|care home|nursing home)"
_RECORDS = r"(?:data|records?|files?|photos?|pictures|documents?|database|backups?|contacts|projects?|history|work|invoices|messages|e-?mails)"
_PAPERS = r"(?:data|details|information|records?|files?|reports?|results?|scans?|statements?|invoices?|bills?|letters?|documents?|contracts?|prescriptions?|photos?|messages|chats?|addresses|address|diagnosis|medical history|payslips?|passport|account|accounts|orders?|bookings?|profile|name|names)"
_SECRETS = r"(?:data|details|information|records?|files|results?|scans?|statements?|invoices?|letters?|documents?|contracts?|prescriptions?|photos|messages|diagnosis|medical history|payslips?|passport)"
_HANDED = r"(?:shared|sent|given|shown|passed(?: on)?|handed(?: over| out)?|e-?mailed|mailed|posted|forwarded|delivered|released|disclosed|revealed|read out|leaked|told)"
_SOMEONE = r"(?:another|a different|a (?:complete |total )?stranger|strangers|someone|somebody|third parties|a third party|the wrong|other|my ex|my (?:neighbou?r|boss|employer|landlord|husband|wife|family|mother|father)|her (?:husband|ex)|his (?:wife|ex)|our competitors?|the whole|everyone|everybody)"
_WHOSE = r"(?:(?:other|another|different) (?:customer|person|people|patient|client|user|guest|member|tenant|company|policyholder|student|employee)s?'?s?'?|(?:someone|somebody|anybody) else's|strangers?'s?|people's)"
_LEAVING_FOR = r"(?:(?:an?other|a different|a new|some other|a cheaper|a better) (?:\w+ )?(?:provider|supplier|vendor|bank(?! account)|insurer|carrier|operator|platform|agency|company|airline|shop|store|tool|product|solution|clinic|practice|pharmacy)|(?:your|the|a|one of your|another) (?:\w+ )?(?:competitors?|competition))"
_TIED = r"(?:contract|subscription|agreement|membership|policy|plan|licen[cs]es?|account|cooperation|partnership|relationship)"
_VISITOR = r"(?:technician|engineer|fitter|installer|plumber|electrician|mechanic|courier|driver|nurse|carer|repairman|repair man|handyman|consultant|delivery|agent)"

FACTS: tuple[CueRule, ...] = (
    CueRule(
        "safety",
        0.75,
        stems(
            "smell smells smelled smelling gas odour odor reeks dose dosage medication medicine pills pill tablets tablet prescription "
            "mg ml mcg units overdose heating heat power electricity water hot dizzy fainted passed vomiting vomited throwing seizure "
            "lift elevator trapped stuck locked airbag airbags seat seatbelt brake brakes steering wheel wheels tyre tire tyres drunk asleep texting red "
            "exposed bare live zapped expired use use-by expiry allergy allergic allergies coeliac celiac nuts peanut peanuts peanutss died killed hurt injured "
            "emergency ambulance fire smoke alarm detector risk danger patients passengers blew burst shattered exploded burned electrocuted "
            "fumes unconscious choke hospital shocked current tingling electric bled stitches concussion degree collapsed flame flames doctor operated surgery"
        ),
        deniable=(
            r"\b(?:smell(?:s|ed|ing)?(?: \w+){0,3} (?:of |like )?(?:gas|burning|burnt plastic|smoke|fumes)|gas smell|(?:odou?r|reek(?:s|ed|ing)?|stink(?:s|ing)?) of (?:gas|burning|smoke|petrol|fumes))\b(?! (?:station|bill|coffee|grill))",
            r"\b(?:wrong|incorrect|mixed[- ]up|too (?:high|low|strong) a|double|twice|(?:two|five|ten|three) times|someone else's|another patient's) (?:the |my |her |his )?(?:\w+ )?(?:dose|dosage|medication|medicine|medicines|pills?|tablets?|prescription|drugs?|blood|vaccine|injection|insulin)\b",
            r"\b\d+ ?(?:mg|ml|mcg|units|milligrams?)\b[^!?]{0,60}\b(?:instead of|but|should|supposed|prescri\w+|not) [^!?]{0,40}\d+ ?(?:mg|ml|mcg|units|milligrams?)\b",
            r"\b(?:i|he|she|who|(?:my|our|his|her) \w+) (?:had |has |have |then |just |nearly |almost )?(?:collapsed|fainted|passed out)\b(?! (?:in (?:laughter|tears)|when i saw the price))",
            r"\b(?:he|she|(?:my|our|the|his|her) (?:\w+ )?(?:son|daughter|child|kid|baby|toddler|mother|father|mum|dad|wife|husband|grand\w+|colleague|guest|passenger|patient))(?: \w+){0,2} (?:fell|slipped|tripped|tumbled|was thrown) (?:\w+ )?(?:down|onto|on|off|over|out of|from|into|against|backwards|head first)\b(?! (?:love|sale|time))",
            r"\b(?:breathing (?:machine|device|aid|apparatus)|ventilator|respirator|dialysis machine|feeding pump|infusion pump|heart monitor|oxygen (?:machine|supply|concentrator|tank)|life support|defibrillator)\b[^.!?]{0,60}\b(?:stop(?:s|ped)?|fail(?:s|ed)?|not|off|without|down|dead|alarm|out|broke\w*|wrong|switch\w*|cut)\b",
            r"\b(?:shot|shoots|shooting|spat|spitting|sent|burst into|threw|came|small|huge|open|saw) (?:out )?(?:an? |the )?(?:\w+ )?flames?\b(?! (?:emoji|war|grill))|\bflames? (?:came|shot|out of|up to|from)\b",
            r"\b(?:bed ?bugs?|cockroach\w*|rats? in|infestation|infested|legionella|salmonella|e\.? ?coli|asbestos|sewage)\b|\b(?:bitten|stung) (?:all over|by|badly)\b|\b(?:doctor|gp|hospital|dentist|vet)s? (?:says?|said|confirmed|diagnosed|had to|found) (?!(?:you|i am fine|everything))",
            r"\b(?:operated|operation|surgery|treated|extracted|drilled|injected|removed)\b[^!?]{0,50}\b(?:wrong (?:side|knee|leg|hip|eye|tooth|arm|foot|hand|ear|patient|person)|instead of (?:my|the|his|her) (?:right|left|other)|(?:it was|should have been|but) (?:my |the )?(?:right|left|other) (?:one|knee|leg|hip|eye|side|tooth|arm|foot|hand|ear))\b",
            r"\b(?:bled|bleeding|stitches|concussion|broke (?:my|his|her) (?:\w+ )?(?:arm|leg|wrist|ankle|foot|hip|nose|tooth|rib|finger|collarbone)|burn(?:s|ed|t)? (?:on|to) (?:my|his|her) (?:\w+ )?(?:hands?|arms?|face|legs?|skin|fingers?)|black eye|first[- ]degree|second[- ]degree|third[- ]degree)\b",
            r"\b(?:unconscious|passed out|fainted|had a seizure|(?:vomiting|vomited|threw up|throwing up) (?:after|all|for|since|the whole))\b",
            r"\b(?:trapped|stuck|locked|shut) in (?:the|a|your|an) (?:\w+ )?(?:lift|elevator|cable car|cabin|bathroom|toilet|stairwell|train carriage|car park)\b",
            r"\b(?:airbags?|seat ?belts?|brakes?|brake pedal|steering|wheels?|tyres?|tires?)\b[^.!?]{0,30}\b(?:came off|fell off|come off|failed|fails|locked up|burst|blew|did not (?:open|work|lock|hold|respond)|didn't (?:open|work|lock|hold|deploy|respond)|detached|snapped|broke)\b",
            r"\bdriver (?:was |is |seemed |clearly |obviously |who was )*(?:drunk|asleep|falling asleep|texting|on (?:his|her|the) phone|smelled of alcohol|speeding)\b|\b(?:ran|jumped|drove through) (?:a|the|two|several) red lights?\b|\basleep at the wheel\b",
            r"\b(?:exposed|bare|live|hanging|loose) (?:\w+ )?(?:wires?|wiring|cables?)\b",
            r"\bzapped (?:me|my|us|him|her)\b|\b(?:electric(?:al)?|static|nasty|mild) shocks?\b|\btingling when (?:i|you) touch",
            r"\b(?:exploded|blew up|burst|shattered|caught fire) in (?:my|his|her|our|the) (?:hands?|face|kitchen|pocket|oven|bag|car|bedroom|living room)\b",
            r"\b(?:past|after|beyond|over|out of) (?:its|the|their|of) (?:use[- ]by|expiry|expiration)(?: date)?\b|\bexpired (?:\w+ )?(?:medication|medicine|vaccine|milk|meat|baby|formula|food|chicken|fish|insulin|epi-?pen|drugs?)\b",
            r"\b(?:nuts?|peanuts?|gluten|sesame|shellfish|lactose|milk|eggs?|soya?)\b[^!?]{0,60}\b(?:allerg\w+|coeliac|celiac|anaphyla\w+)\b[^!?]{0,40}(?:label|reaction|served|contain|anyway|told|ill|hospital|ate|marked|listed)",
            r"\b(?:allerg\w+|coeliac|celiac)\b[^!?]{0,70}\b(?:contain(?:s|ed)|still (?:served|got|put)|anyway|reaction|not (?:on|listed|mentioned|declared)|missing from)\b",
            r"\b(?:could|might|would|may) (?:easily |well |have |very |all )*(?:have )?(?:died|been killed|been hurt|been injured|been burn(?:ed|t)|burn(?:ed|t) (?:down|the)|killed (?:me|us|him|her|someone|somebody)|hurt (?:someone|somebody)|blinded)\b",
            r"\b(?:someone|somebody|people|anyone|kids?|children|a child|workers?|staff) (?:could|might|will|is going to|are going to|may|can) (?:\w+ )?(?:get |be )?(?:hurt|injured|killed|die|burn(?:ed|t)|electrocuted|poisoned)\b",
            r"\b(?:patients?|passengers|children|residents|workers|drivers|lives|staff|pupils|guests) (?:\w+ ){0,3}(?:at risk|in danger|endangered|harmed)\b|\b(?:risk|danger) (?:to|for) (?:our |the |my )?(?:patients|passengers|children|residents|staff|workers|drivers|public|life|lives|health)\b",
            r"\b(?:fire|smoke|gas|monoxide|fall|panic|emergency|intruder|baby) (?:alarms?|detectors?|buttons?|exits?|doors?|monitors?|brakes?)\b[^.!?]{0,30}\b(?:not|didn't|doesn't|failed|blocked|locked|dead|broken|never|stopped|silent|didnt)\b",
        ),
        patterns=(
            rf"\b(?:no|without|lost|cut off our|cut off the|cut the) {_UTILITY}\b[^?]{{0,140}}\b{_FRAIL}\b",
            rf"\b{_FRAIL}\b[^?]{{0,140}}\b(?:no|without|lost) {_UTILITY}\b",
            r"\b(?:can't|cannot|can not|could not|couldn't|unable to|no way to|not able to)(?: \w+){0,2} (?:call|dial|reach|ring|phone)(?: \w+){0,2} (?:911|999|112|000|emergency|ambulance|an ambulance|the fire)\b",
        ),
        examples=(
            "There is a smell of gas in the hall.",
            "I can smell gas.",
            "The pharmacy gave me the wrong dose.",
            "It says 20 mg but I was prescribed 2 mg.",
            "He took it and passed out.",
            "I was stuck in the lift for an hour.",
            "A wheel came off on the motorway.",
            "The driver was texting all the way.",
            "There are bare wires hanging from the wall.",
            "The bottle exploded in my hand.",
            "I collapsed in the street.",
            "The gate gave way and my son fell onto the stones.",
            "Her oxygen machine stops when the power is off.",
            "I needed six stitches.",
            "The stove spat a flame.",
            "The room was infested and our doctor confirmed it.",
            "They operated on the wrong hip.",
            "The chicken was past its use-by date.",
            "I told them about my nut allergy and it still contained peanuts.",
            "Someone could get hurt.",
            "This puts our patients at risk.",
            "The smoke alarm never went off.",
            "My grandmother has been without heating since Monday.",
            "We have no hot water and a three-week-old baby.",
            "I could not call an ambulance.",
        ),
        counterexamples=(
            "Nobody passed out.",
            "The prescription was ready on time.",
            "The water was cold.",
            "The lift is slow.",
            "We passed the driver on the way.",
        ),
    ),
    CueRule(
        "privacy_discomfort",
        0.85,
        stems(
            "another other someone somebody stranger strangers person people third wrong everyone everybody customers customer patient patients neighbour neighbor husband wife employer boss landlord competitor competitors ex family mother father "
            "cc cced recorded filmed openly publicly freely unencrypted google internet addresses without different whole"
        ),
        patterns=(
            rf"\b{_PAPERS}(?: \w+){{0,2}} (?:was|were|is|are|has been|have been|had been|got|being|ended up)(?: \w+)? {_HANDED}(?: \w+){{0,2}} (?:to|with|in front of) {_SOMEONE}\b(?! (?:team|department|colleague|branch|depot|queue|address\b))",
            rf"\b{_HANDED} (?:\w+ ){{0,2}}(?:my|our|his|her|their) (?:\w+ ){{0,2}}{_PAPERS} (?:to|with) {_SOMEONE}\b(?! (?:team|department|colleague|branch|depot))",
            rf"\b{_HANDED} (?:another|a stranger|someone|somebody|my ex\w*|my (?:neighbou?r|boss|employer|landlord|husband|wife))(?: \w+){{0,2}} (?:my|our) (?:\w+ ){{0,2}}{_PAPERS}\b",
            rf"\b{_PAPERS} (?:of|from|belonging to|for|about|meant for|intended for|addressed to) (?:(?:an?|the|some) (?:\w+ )?(?:person|man|woman|customer|patient|client|user|family|stranger|people)s? (?:i|we|who|whom|that|from)\b|people (?:i|we) (?:do|have|don't)|other (?:customers|people|patients|users|clients|guests|members|companies|tenants)|another (?:customer|person|patient|client|user|company|guest|member|tenant|family)|somebody else|someone else|strangers|complete strangers|total strangers)",
            rf"\b{_WHOSE} (?:\w+ ){{0,2}}{_SECRETS}\b",
            r"\b(?:google|internet|web|online|search engines?|facebook|dark web|forum)\b[^.!?]{0,40}\b(?:my|our|his|her) (?:\w+ )?(?:contract|invoice|address|name and|phone number|bank details|medical|letters?|photos?|data|details|cv|passport|iban|file|records?)\b[^.!?]{0,20}\b(?:with|there|visible|found|appear\w*|public|to see|shows?|listed|comes? up)\b",
            r"\b(?:found|find|see|saw|discovered) (?:my|our|his|her) (?:\w+ )?(?:contract|invoice|address|phone number|bank details|letters?|data|details|cv|passport|iban|file|records?|application|diagnosis)(?: \w+){0,3} (?:on|in|via|through) (?:google|the internet|the web|facebook|a forum|the dark web|a search|the (?:bin|street|printer|trash))\b",
            r"\b(?:cc'd|cced|copied in|put in cc|in copy|open cc)\b[^.!?]{0,60}\b(?:everyone|customers|addresses|recipients|clients|participants|strangers)\b|\b(?:addresses|names|numbers) of (?:all|hundreds of|other|dozens of|your) (?:\w+ ){0,2}(?:customers|recipients|clients|participants|patients|members|guests)\b",
            r"\b(?:recorded|filmed|photographed) (?:\w+ ){0,4}without (?:telling|asking|my|our|consent|permission|any)\b",
            rf"\b{_PAPERS}(?: \w+){{0,3}} (?:openly|publicly|freely) (?:accessible|visible|available|online|readable)\b|\b{_PAPERS} (?:was|were|is|are) (?:left|lying|found) (?:\w+ ){{0,3}}(?:unlocked|unencrypted|in the (?:bin|street|trash|train|rubbish)|on the street|in public|in the open)\b",
            r"\b(?:read|said|announced|shouted|called|discussed|mentioned|told)(?: \w+){0,3} (?:my|our|her|his) (?:\w+ ){0,2}(?:results?|diagnosis|condition|balance|salary|debts?|illness|medication|test|name and|address|number|pregnancy|details)(?: \w+){0,2} (?:out )?(?:loud|in front of|aloud|across the|for all|so (?:that )?everyone|publicly)\b",
            r"\b(?:know|knows|found out|learned|got|have|has)(?: \w+){0,3} (?:my|our|her) (?:new |private |home )?(?:address|number|diagnosis|pregnancy|salary) (?:from|through|because of) (?:you|your)\b",
        ),
        examples=(
            "My results were handed to another patient.",
            "I can see the statements of a person I do not know.",
            "The portal shows other customers' invoices.",
            "You emailed my contract to our competitor.",
            "Your mail cc'd all customers, four hundred addresses.",
            "Our call was recorded without telling us.",
            "Someone else's bank details are in my profile.",
            "My files are publicly accessible.",
            "He has my new address from you.",
            "Google shows my contract with my bank details to see for all.",
            "I found my application on the internet.",
            "He read my diagnosis out loud at the desk.",
            "You told my employer about my diagnosis and sent my boss my report.",
        ),
        counterexamples=(
            "I was sent to another department.",
            "The parcel was delivered to another address.",
            "My order was passed to another team.",
            "Other customers' reviews helped me.",
        ),
    ),
    CueRule(
        "loss_or_fraud_urgent",
        0.75,
        stems(
            "gone lost deleted wiped erased vanished disappeared corrupted overwritten overwrote destroyed missing deleting losing money savings funds pension "
            "withdrawals transactions payments transfers purchases charges orders intruder logged login euro euros pound pounds dollar dollars paid transferred sent wired name code eur usd gbp"
        ),
        deniable=(
            rf"\b(?:my|our|all|customer|patient|company|the) (?:\w+ ){{0,3}}{_RECORDS}(?: \w+){{0,3}} (?:are|is|were|was|have|has|got|been)(?: (?!not\b|never\b|no\b)\w+){{0,3}} (?:gone|lost|deleted|wiped|erased|vanished|disappeared|corrupted|overwritten|destroyed)\b(?! (?:me|through|up|down|back|well|viral|over|to|on|from the list|which helped))",
            rf"\b(?:deleted|wiped|erased|overwrote|corrupted|destroyed|lost) (?:all |most |half |years |months )?(?:of )?(?:my|our|all(?: the| my| our)?) (?:\w+ ){{0,3}}{_RECORDS}\b",
            r"\b(?:my|our|the) (?:\w+ ){0,2}(?:money|savings|pension|funds|salary|inheritance)(?: \w+){0,2} (?:has |have |is |are |was |were )?(?:\w+ )?(?:disappeared|vanished)\b|\b(?:my|our) (?:\w+ )?(?:money|savings|pension|funds|salary)(?: \w+)? (?:is|are|has|have) (?:\w+ )?gone\b",
        ),
        patterns=(
            r"\b\d[\d.,]* ?(?:euros?|pounds?|dollars?|eur|gbp|usd|francs?|[€£$])(?: \w+){0,3} (?:is|are|was|were|has|have|been)(?: \w+)? (?:missing|gone|stolen|disappeared|vanished|withdrawn|taken)\b",
            r"\b(?:paid|transferred|sent|wired|credited|booked|went)(?: \w+){0,6} (?:into|to|on) (?:the )?(?:account of (?:some|another|a|someone|somebody)|wrong (?:account|person|man|woman|customer|iban)|(?:someone|somebody) else's account|a stranger's account)\b",
            r"\b(?:someone|somebody|a stranger|they|he|she|criminals|fraudsters?|has|have|had|was|were|been) (?:\w+ )?(?:opened|taken out|took out|ordered|signed|registered|applied for|set up|bought)(?: \w+){0,6} in my name\b(?! (?:for me|as i))|\bin my name (?:without|that i never|which i never)\b",
            r"\b(?:man|woman|person|caller|someone|somebody|guy)\b[^.!?]{0,60}\b(?:code|pin|tan|password|transfer)\b[^.!?]{0,40}\b(?:gone|missing|emptied|empty|stolen|took|lost|taken)\b",
            rf"\b(?:{_COUNT}|more|a series of|various|a lot of) (?:\w+ )?(?:withdrawals|transactions|payments|transfers|purchases|charges|orders)\b[^.!?]{{0,40}}\b(?:i|we) {_NOT_DONE}(?: \w+)? (?:ma[dk]e|authori\w+|placed?|do|did|done|approved?|recogni\w+|know)\b",
            r"\b(?:someone|somebody|a stranger|intruder)(?: \w+){0,3} logged (?:in ?to|on to|into) (?:my|our)\b|\blog-?ins? (?:to|on|in) (?:my|our) (?:\w+ )?account from (?!my|our)",
        ),
        examples=(
            "After the update a third of our records are gone.",
            "You deleted all our files.",
            "My savings have vanished.",
            "There are three withdrawals I did not make.",
            "Somebody has logged into my account.",
            "Now 900 euros are gone.",
            "Someone took out a loan in my name.",
            "You paid my benefit into the account of another man.",
            "A woman rang, I gave her the code and all was gone.",
        ),
        counterexamples=(
            "Our records are not lost.",
            "My photos are great.",
            "All our work is done.",
        ),
    ),
    CueRule(
        "legal_or_press_threat",
        0.8,
        stems(
            "ofcom ofgem ofwat bafin cfpb finra cnil watchdog damages liable penalty penalties breach lawyers counsel legal reporter reporters journalist journalists "
            "tv radio newspaper papers press linkedin tiktok followers subscribers readers mp congressman senator attorney court deadline formal accountable statutory consumer broadcast air publish print cover represent represents instructed engaged retained appointed mandated hired arbitration mediation conciliation insurance insurer"
        ),
        deniable=(
            r"\b(?:ofcom|ofgem|ofwat|bafin|cfpb|finra|cnil|(?:consumer|industry|financial|energy|data) watchdog|watchdog)\b",
            r"\b(?:claim(?:ing)?|seek(?:ing)?|sue for|demand(?:ing)?) (?:for )?damages\b|\bdamages claim\b|\bhold (?:you|your \w+) (?:\w+ )?(?:liable|accountable)\b|\byou (?:are|will be) (?:\w+ )?liable\b",
            r"\b(?:contractual penalt(?:y|ies)|penalty clause|liquidated damages|(?:in|a|material|clear) breach of contract|statutory rights|cease and desist|letter before action|formal complaint with|consumer (?:association|organi[sz]ation|protection|advice|rights|council|group|centre|center))\b",
            r"\b(?:our|my|the|company's) (?:legal (?:department|team|counsel|adviser|advisor|insurance|people)|lawyers?|counsel|general counsel|attorneys?)\b",
            r"\b(?:going|go|went|gone|talk(?:ing)?|spoke|spoken|turn(?:ing)?|tell(?:ing)?)(?: \w+)? to (?:the |a |my |our )?(?:local |national )?(?:press|papers|media|newspapers?|news|reporters?|journalists?|tv|radio|television)\b|\b(?:tv|radio|television|newspaper) (?:station|crew|team|show|programme|program)\b[^.!?]{0,40}\b(?:interested|contact\w*|call\w*|know|hear)",
            r"\b(?:post(?:ing|ed)?|share|sharing|shared|tell(?:ing)?|warn(?:ing)?|writ(?:e|ing)|publish(?:ing)?)(?: \w+){0,8} (?:linkedin|tiktok|my followers|my subscribers|our readers|my readers|google reviews?|everyone online|all over the internet)\b|\bmy (?:\w+ )?(?:followers|subscribers)\b[^.!?]{0,30}\b(?:will|are going to|should|would|can)\b",
            r"\b(?:my|our|the local) (?:mp|congressman|congresswoman|senator|member of parliament|member of congress)\b",
        ),
        examples=(
            "I have written to Ofgem.",
            "We will claim damages.",
            "We hold you liable for this.",
            "You are in breach of contract.",
            "Our legal department will be in touch.",
            "I am going to the papers.",
            "I'll share this with my followers.",
            "My MP has been informed.",
            "We have instructed Smith & Partners in this matter.",
            "They will publish my story next week.",
        ),
        patterns=(
            r"\b(?:instructed|engaged|retained|appointed|mandated|hired) (?:\w+ ){0,2}(?:[a-z]+ (?:&|and) (?:partners?|co|sons|[a-z]+)|a (?:law )?firm|counsel|lawyers?|solicitors?|attorneys?|an? (?:lawyer|attorney|solicitor|expert))\b|\b(?:represent(?:s|ing)? (?:us|me)|to represent (?:us|me)) (?:in|on|against)\b",
            r"\b(?:consumer|customer) (?:office|programme|program|show|magazine|bureau|affairs|watchdog)\b|\b(?:will|going to|to) (?:broadcast|air|publish|print|cover) (?:my|our|this|the) (?:\w+ )?(?:story|case|experience|report)\b|\b(?:small claims|arbitration|mediation|conciliation|court) (?:\w+ )?(?:proceedings?|board|hearing|date|claim|filed|summons)\b|\bmy (?:legal )?(?:insurance|insurer) (?:has|will|is|covers?) (?:\w+ ){0,3}(?:taken|take|case|costs)\b",
        ),
        counterexamples=(
            "The radio in the lobby was nice.",
            "I am not going to the press.",
            "I use the app to read the papers.",
        ),
    ),
    CueRule(
        "wants_to_leave",
        0.85,
        stems(
            "demo demos demoing tender rfp alternatives alternative options competitor competitors competition offer offers quote quotes pilot piloting trial trialling shopping shop "
            "move moved moving take taking taken switch switched switching transfer transferred port ported porting pac signed sign signing goodbye bye farewell done out off-boarding offboarding offboard migrate migrating migrated migration "
            "renew renewal non-renewal extend lapse expire cut downgrade downgrading reduce reducing halve leave leaving leaver last lost elsewhere elsewere cancel cancelled cancelling cancellation cancelation terminate exit quit export change future business custom rethink stay staying unsubscribed uninstall deleted closing closed close gone half cheaper why whether which see hear stop offers offered quoted"
        ),
        deniable=(
            r"\b(?:see|seeing|seen|had|having|booked|watched|getting|scheduled|arranged|took|taking) (?:\w+ ){0,2}demos? (?:from|with|of|by) (?:\w+ ){0,3}(?:competitors?|competition|vendors?|providers?|alternatives?|suppliers?|others?)\b",
            r"\b(?:put(?:ting)?|out|going|go|goes|went)(?: \w+){0,8} (?:out )?to tender\b|\b(?:issu(?:e|ing|ed)|start(?:ed|ing)?|prepar(?:e|ing)|launch(?:ed|ing)?|run(?:ning)?|publish(?:ed|ing)?|sent out|sending out) (?:an? |our |the )?(?:\w+ )?(?:rfp|rfq|tender|request for proposals?)\b",
            r"\b(?:explor|weigh|consider|review|look(?:ing)? (?:at|into)|evaluat|assess|keep)(?:e|ing|ed)? (?:up )?(?:our|all|my|other|all our|the)?(?: \w+)? ?(?:options|alternatives)\b(?! (?:for|to|in) (?:the )?(?:pay|deliver|repair|financ|shipping))",
            r"\b(?:pilot|trial|trying|test|talks|negotiat|conversation|contract|signed|sign|meeting|met|spoke|speaking|appointment|onboarding)\w*(?: \w+){0,2} (?:with|of|at|to|out) (?:one of )?(?:your |another |a |two of your |some of your )?(?:biggest |main |direct |cheaper |different |new |rival )*(?:competitors?|competition|rivals?)\b",
            rf"\b(?:moved?|moving|switch(?:ed|ing)?|transferr?(?:ed|ing)?|migrat(?:e|ed|ing)|port(?:ed|ing)?|took|tak(?:e|en|ing)|go(?:ing|ne)?|went|sign(?:ed|ing)? (?:up )?(?:with|to)|defect(?:ed|ing)?)(?: (?!i\b|we\b|because\b)\w+){{0,5}} (?:to|with) {_LEAVING_FOR}\b",
            r"\b(?:take|taking|took|taken|move|moving|moved|bring)(?: \w+){0,2} (?:business|custom|money|accounts?|volume|spend|orders|shopping|patients|savings|portfolio|traffic|contract|services?|bookings) (?:elsewhere|away|somewhere else|off your)\b",
            r"\b(?:number transfer code|port(?:ing|-?out)? (?:code|my number|our numbers|request|my line)|pac code|transfer my number|transferring my number)\b",
            rf"\b(?:how|where)(?: \w+){{0,5}} (?:cancel|terminate|close|quit|end|exit|get out of)(?! (?:\w+ ){{0,3}}newsletter)(?: \w+){{0,4}} {_TIED}\b|\bcancell?ation (?:form|letter|notice|deadline|terms|link|button|request)\b|\bnotice period\b",
            r"\b(?:time|ready|decided|going|plan(?:ning)?|want|about|consider(?:ing)?|thinking (?:of|about)|prepar(?:e|ing)) (?:to |for )?(?:us to |me to )?(?:off-?board(?:ing)?|leave (?:you|your)|leaving (?:you|your)|mov(?:e|ing) away from (?:you|your)|exit(?:ing)? (?:the|our)|a change of (?:provider|supplier|bank|vendor)|change (?:provider|supplier|bank|vendor|insurer)s?|changing (?:provider|supplier|bank|vendor|insurer)s?|switch(?:ing)? (?:provider|supplier|bank|vendor|insurer)s?)\b",
            rf"\b(?:let|letting) (?:\w+ ){{1,3}}(?:expire|lapse|run out)\b|\b(?:cut(?:ting)?|reduc(?:e|ing)|halv(?:e|ing)|drop(?:ping)?|scal(?:e|ing) back|downgrad(?:e|ing)) (?:\w+ ){{0,2}}(?:seats|licen[cs]es|volume|spend|{_TIED}|order volume|budget with you)\b",
        ),
        patterns=(
            r"\b(?:will|shall|do|does|are|is|am|would|did|has|have|'ll|decided|choose|chosen|intend|plan|going|prefer)(?: \w+){0,3} not (?:to )?(?:be )?(?:renew|extend|prolong|stay with|continue (?:with|our|this|the (?:contract|subscription|cooperation|partnership|service)))(?:ing|e|ed)?\b(?! (?:the (?:call|chat|deadline)|logged|long))",
            r"\b(?:won't|wont|don't|not|cannot|can't|unlikely to|hesitant to|reluctant to|hard to)(?: \w+){0,3} (?:renew|recommend (?:that we |we )?(?:renew|stay|continue)|justify (?:the |our |this )?(?:renewal|contract|spend|subscription|staying)|see (?:a|any|us having a|our) (?:future|reason to stay))\w*\b|\bnon-?renewal\b",
            r"\b(?:this|it|that)(?: is|'s| must be| has to be) (?:my |our |a |the )?(?:final )?(?:good ?bye|farewell|the end (?:of (?:our|us|the road)|for (?:us|me))|where (?:we|i) (?:part|leave|get off))|\bafter (?:\w+ ){1,2}(?:years|decades)(?: \w+){0,5} (?:i am|i'm|we are|we're|i will|we will|it is|it's) (?:\w+ )?(?:leaving|gone|done|going|over|moving|out|finished|saying)\b",
            r"\b(?:so|then|and|ok|okay) good ?bye(?=\W*$)|\b(?:good ?bye|farewell|bye) (?:for good|for ?ever)\b",
            r"\b(?:i'm|we're|i am|we are) (?:so |completely |totally |officially |just )?(?:out|leaving|finished with you|done with (?:you|this|your|them))(?: here| of here| now| after this| people| lot| guys| company| service)?(?=\W*$|[.!;])|\bcount (?:me|us) out\b",
            r"\b(?:will|'ll|would|are|be|probably|likely|shall|all|also) (?:\w+ ){0,2}gone (?:after|by|in|once|when|next|as soon|at the end)\b|\b(?:we|i|you|they|others?|[a-z]+) (?:has |have |had )?(?:offer(?:s|ed|ing)?|quoted|quotes) (?:us|me) (?:the same for|a (?:better|lower|cheaper) (?:price|deal|rate|offer)|half)|\b(?:same|it|this) (?:for|at) half(?: the price)?\b|\bhalf the price (?:at|elsewhere|with|from)\b|\bcheaper (?:elsewhere|with|at (?:another|a|your))\b",
            r"\b(?:why|whether) (?:we|i|to)(?: \w+)? (?:still |even |should |keep |need to |have to |must |continue to )+(?:pay(?:ing)?|use|using|keep|renew|stay)(?: (?:for|with|you|your|this|the|two|both|renewing)\b|\W*$|[.,;])|\bwhich (?:of them|one|tools?|systems?|vendors?|suppliers?|providers?) (?:can|could|should|will|to) (?:go|drop|cut|be (?:cut|dropped|cancelled))\b|\b(?:won't|will not|never) (?:see|hear from|hear of) (?:me|us) again\b|\bstop (?:the|my|our|all) payments?\b",
            r"\b(?:was|is|will be|be|that's|it's|been) (?:definitely |certainly )?(?:my|our) last (?:ever )?(?:order|purchase|stay|flight|booking|visit|year|month|invoice|contract|renewal|trip|delivery|time|treatment|appointment)\b",
            r"\b(?:you've|you have|you|just|has|have) (?:just |now |finally )?lost (?:(?:me|us)(?= for| as| over|\W*$|[.,!;])|our (?:business|custom|account|trust and|loyalty)|my (?:business|custom|loyalty)|a (?:\w+ ){0,3}(?:customer|client|guest|patient|member|subscriber|family|account))\b",
            r"\b(?:already|have|has|'ve|we|i) (?:moved|switched|transferred|migrated|ported|gone|left)(?: \w+){0,4} (?:to|for) (?:a |the |your |one of your |another )(?:\w+ )?(?:competitor|competition|rival|provider|supplier|bank|vendor|insurer)s?\b",
            r"\b(?:last|final) straw\b|\b(?:one|another) (?:more )?(?:time|mistake|delay|outage|incident)(?: like this)? and (?:i'm|we're|i am|we are|i'll|we'll|i will|we will)\b",
        ),
        examples=(
            "We are seeing demos from two competitors.",
            "We will put the contract out to tender.",
            "We are exploring our options.",
            "We started a pilot with one of your competitors.",
            "I have switched everything to a cheaper provider.",
            "We will take our business elsewhere.",
            "I have asked for my number transfer code.",
            "How do I cancel my contract?",
            "It is time to change supplier.",
            "We have decided not to renew.",
            "I cannot justify the renewal.",
            "That was my last order.",
            "You just lost a family of four loyal guests and a customer.",
            "This was the last straw.",
            "So goodbye.",
            "This is goodbye.",
            "After ten years I am moving on.",
            "One more outage and we are gone.",
            "We will be gone by June.",
            "Bolt offers us the same for half.",
            "My boss asks why we still pay for this tool.",
            "You will never see me again.",
        ),
        counterexamples=(
            "I am not moving to another provider.",
            "Thanks, bye-bye sale was great.",
            "We explored the city.",
            "Please extend my stay.",
            "You lost my parcel.",
        ),
    ),
    CueRule(
        "broken_promise",
        0.75,
        stems(
            "nobody noone no-one no-show show showed shown turn turned missed cancelled canceled rescheduled postponed pushed delayed slipped moved committed "
            "appointment appointments callback callbacks deadline deadlines promise promises promised came appeared again commitment no"
        ),
        patterns=(
            rf"\b(?:nobody|no one|no-one|noone|no {_VISITOR}|neither|never)(?: \w+){{0,2}} (?:turned up|showed up|shown up|show up|turn up|showed|appeared)\b|\b(?:nobody|no one|no {_VISITOR}) (?:ever )?came\b(?! (?:close|near|even close))",
            rf"\b(?:he|she|they|who|guy|man|crew|team|someone|{_VISITOR})\b[^.!?]{{0,30}}\b(?:did not|didn't|didnt|never|failed to|hasn't|has not) (?:even |bother to )?(?:turn|show|shown|turned|showed) up\b|\bno[- ]shows?\b",
            r"\bmissed (?:the |our |my |another |two |three |every |all |both |his |her |their |your )?(?:\w+ )?(?:appointments?|time slots?|slots?|visits?|deadlines?|callbacks?|call-backs?|milestones?|go-live)\b",
            rf"\b(?:appointment|visit|installation|delivery|repair|meeting|date|go-live|flight|call|slot|release|launch|rollout|project|migration|fix|surgery|operation|treatment)s?\b[^.!?]{{0,30}}\b(?:cancelled|canceled|rescheduled|postponed|pushed back|put off|slipped|moved|delayed)\b[^.!?]{{0,40}}\b(?:again|twice|(?:second|third|fourth|fifth) time|{_COUNT} times|at (?:the )?(?:last minute|short notice)|last[- ]minute|on the day)\b",
            rf"\b(?:second|third|fourth|fifth|another|{_COUNT}) (?:missed|broken|failed|cancelled|canceled|postponed) (?:appointment|deadline|promise|delivery|visit|date|commitment|callback|attempt)s?\b",
            r"\bcommit(?:ted|ment) to\b[^.!?]{0,60}\bby\b[^.!?]{0,30}[.!?,;–-]+ ?(?:it is|it's|it has|we are|we're|still|nothing|now|today|that was|but|and)\b",
        ),
        examples=(
            "Nobody turned up for the appointment.",
            "The engineer did not show up.",
            "Another no-show.",
            "You missed the go-live date and every deadline.",
            "My visit was cancelled for the third time.",
            "Two cancelled visits so far.",
            "You committed to SSO by June. It is now November.",
        ),
        counterexamples=(
            "Nobody came close to their quality.",
            "The payment does not show up in my app.",
            "I missed my train.",
            "I cancelled my order.",
        ),
    ),
    CueRule(
        "repeated_contact",
        0.75,
        stems(
            "rung rang called phoned emailed written asked chased contacted complained reported been spoken times time again since reply answer reminder reminders week weeks months chasing ask explain call write contact silence"
        ),
        patterns=(
            rf"\b(?:i|we)(?:'ve| have| had)? (?:now |already |been )?(?:rung|rang|called|phoned|e-?mailed|written|wrote|asked|chased|contacted|complained|reported|messaged|spoken|been in touch|been on the phone)\b[^.!?]{{0,30}}\b(?:twice|{_COUNT} times|(?:second|third|fourth|fifth) time|again|every (?:day|week|month))\b",
            r"\b(?:every|each) (?:single )?time (?:i|we) (?:call|ring|phone|write|contact|e-?mail|get in touch)\b",
            r"\b(?:no|without an?|not (?:a|one)|never an?) (?:\w+ )?(?:reply|answer|response|update|word|news|feedback) (?:since|for (?:\w+ )?(?:days|weeks|months)|until today|to date|so far|in (?:\w+ )?(?:days|weeks|months))\b",
            rf"\b(?:my|our|the|a) (?:second|third|fourth|fifth|sixth|\d+(?:nd|rd|th)) (?:\w+ )?(?:email|e-mail|call|message|ticket|request|letter|reminder|complaint|contact|mail|try|report)\b|\b(?:chas(?:ing|ed)|asking|ask|explain(?:ing)?) (?:you |this |it |for this )?(?:for|since) (?:{_COUNT}|a|over|more) (?:\w+ )?(?:days|weeks|months|month)\b",
        ),
        examples=(
            "I have rung three times.",
            "Every time I call I get another story.",
            "No answer since Monday.",
            "This is my fifth email about it.",
            "We have been chasing this for three weeks.",
        ),
        counterexamples=("I called and it was solved at once.", "I ask for little."),
    ),
)
