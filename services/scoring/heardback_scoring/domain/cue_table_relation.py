# ruff: noqa: E501  (a pattern is read best on one line)
"""Cues of what becomes of the relationship: leaving, asking for a person, asking again, broken promises."""

from heardback_scoring.domain.cues import CueRule, stems

_ACCOUNT = (
    r"(?:my |our |the |this |all |of |a |an |your |(?!from |to |with |in )\w+ ){0,4}"
    r"(?:subscription|account|membership|contract|plan|policy|service|profile|renewal|policie|insurance)s?"
)
_NOT_A_RELATION = (
    r"(?! (?:(?:my|the|this|that|an?|our|all|of|previous|last|recent|few|some|one) ){0,4}(?:\w+ )?"
    r"(?:order|booking|appointment|payment|transfer|purchase|top|transaction|check|cheque|card|reservation|room|loan|billing|newsletter|item|flight|product|delivery|return|refund|withdrawal|ticket)s?\b)"
)
_WANTS = r"\b(?:want|wants|wanna|like|need|wish|going|ready|decided|plan|planning|about|have|considering|consider|thinking (?:about|of)|might|may|will|shall|gonna|i'll|we'll) (?:to |just |have to |be )*"
_TALK = (
    r"(?:speak|talk|chat|connect|transfer|escalate|reach|contact|put|pass|hand|switch|get|redirect|forward)"
)
_BRIDGE = r"(?: (?:me|this|us|to|with|through|over|on|hold|of|in|touch|back|by|you|a|an|the|your|any|some|one|real|actual|live|is|directly|over|other|another|different|proper|normal|non-robotic|senior|bank|human|live|chat|word|damn|goddamn|fucking|bloody))*?"
_PERSON = r"(?:human(?: being)?s?|person|people|agents?|representatives?|reps?|operators?|managers?|supervisors?|someone|somebody|advis[eo]rs?|staff|specialists?|assistants?|employees?|workers?|colleagues?|reception|front desk|team|boss|superior|expert|technician|department|customer (?:service|support|care))"

RELATION: tuple[CueRule, ...] = (
    CueRule(
        "wants_to_leave",
        0.9,  # 0.96 of 451 in the train split of intents, 0.91 of 67 in dev
        stems("not never won't don't doesn't last final lost taking take longer wouldn't"),
        also=stems(
            "renew renewing coming come return use using buy buying order ordering shop shopping stay staying "
            "again time purchase year month customer client user buyer elsewhere somewhere booking book fly go going deal "
            "dealing recommend anymore more want need purchasing back rent"
        ),
        patterns=(
            r"\b(?:will not|won't|not going to|never|won't be|don't (?:plan|intend|expect|think|want|wish)(?: \w+){0,3}) (?:be )?(?:renew|coming back|come back|return(?:ing)?(?! (?:the|it|my|this|any))|stay(?:ing)?(?: with| here| your| a))\w*",
            r"\bnot (?:be )?(?:renewing|coming back)\b",
            r"\b(?:will not|won't|wouldn't|would not|not going to|not gonna|never)(?: ever| be| going to| gonna){0,2} (?:us(?:e|ing)|buy(?:ing)?|order(?:ing)?|shop(?:ping)?|book(?:ing)?|fly(?:ing)?|go(?:ing)?|com(?:e|ing)|deal(?:ing)?|purchas(?:e|ing)|rent(?:ing)?|stay(?:ing)?|visit(?:ing)?|do(?:ing)? business)(?: \w+){0,6} (?:again|anymore|any more|back)\b(?! (?:to sleep))",
            r"\b(?:this|that|it|it's|that's)(?: is| was|'s| will be)? (?:\w+ )?(?:the|my|our) (?:very )?(?:last|final) (?:time|order|purchase|year|month|booking|visit)(?:\b| (?:i|we|i'll|we'll|i'm|we're|with you|here|from)\b)",
            r"\byou(?:'ve| have)? (?:just )?lost (?:a|me as a|another|us as a|this) (?:\w+ ){0,2}(?:customer|client|user|buyer)",
            r"\blos(?:t|ing|e) me as (?:a |your )?(?:\w+ )?(?:customer|client|user)",
            r"\b(?:tak(?:e|ing)) (?:my|our) (?:business|money|custom) (?:elsewhere|somewhere else)",
            r"\bnever (?:again|using|buying|ordering|shopping|coming back|booking)\b(?! (?:had|did|have|was) )",
            r"\b(?:no longer|don't|do not) (?:want|wish|need)(?: to)? (?:be a|be your|have|keep|use|your|this|my|an|the)(?: \w+){0,3} (?:customer|client|member|account|subscription|service|contract)(?: any ?more| with you)?\b(?! (?:to|cancel|clos))",
        ),
    ),
    CueRule(
        "wants_to_leave",
        0.9,  # 0.96 of 451 in the train split of intents, 0.91 of 67 in dev
        stems(
            "cancel close closing delete leave leaving switch switched terminate quit end ending elsewhere competitor "
            "unsubscribe done moving move moved drop stop deactivate remove uninstall uninstalled discontinue out go going "
            "deletion closure removal termination closed deleted shut get getting rid disable disabling cancelled"
        ),
        deniable=(
            rf"\b(?:cancel(?:l?ing|lation of)?|clos(?:e|ing)|terminat(?:e|ing)|end(?:ing)?|delet(?:e|ing)|discontinu(?:e|ing)|deactivat(?:e|ing)|disabl(?:e|ing)|shut(?:ting)? down|get(?:ting)? rid of|drop(?:ping)?|remov(?:e|ing)|stop(?:ping)?(?: using)?(?! fraud| (?:them|someone|people|this))) (?!(?:\w+ ){{0,3}}newsletter){_ACCOUNT}\b",
            rf"{_WANTS}(?:cancel|cancelling|canceling){_NOT_A_RELATION}\b",
            rf"{_WANTS}(?:leave you|leaving(?: you)?|quit|quitting|switch(?:ing)? (?:to (?!another account)|provider|bank|supplier|compan|back|away|over)|go elsewhere|move (?:on )?to (?:your |a different |another )(?:competitor|provider|company|bank|app)|unsubscribe|end this)\b",
            r"\b(?:leaving|switching|switched|moving|moved|switch|move|going|changed|changing) (?:to|over to|back to) (?:a |another |your |the |one of your )?(?:different |other )?(?:competitor|competition|provider|company|supplier|carrier|vendor|app)s?\b",
            r"\b(?:going|go|shop|buy|look|looking|gone|shopping) elsewhere\b",
            r"\b(?:i|we)(?:'m|'re| am| are| will be|'ll be)? (?:leaving(?! (?:a|this|my|the|it|one|you (?:a|with))\b)|done with (?:you|this (?:company|app|bank|service|shop)|them)|out of here|uninstalling|deleting (?:the|this|your) app)\b",
            r"\b(?:uninstall(?:ed|ing)|deleted) (?:it|this|the app|this app|your app)\b(?! and (?:re|in))",
            r"\b(?:account|subscription|membership|plan|policy|contract)s? (?:be |get |to be )?(?:cancell?ation|clos(?:ure|ing)|delet(?:ion|ed)|removal|terminat(?:ion|ed)|cancell?ed)s?\b",
            rf"\b(?:cancell?ation|closure|deletion|termination|removal) of {_ACCOUNT}\b",
            r"\bclose (?:\w+ ){1,2}\w+'s account\b",
            r"\bget (?:me )?out of (?:this|your) (?:company|contract|bank|subscription|membership|plan)\b",
        ),
        examples=(
            "I want to cancel my subscription today.",
            "We will not be renewing in December.",
            "Honestly I’m thinking about switching to another provider",
            "You have just lost a loyal customer.",
            "Please close my account.",
            "Why won't you let me cancel my membership?",
            "this is the last time I order from you",
            "I'll never shop at your store again",
            "I no longer want to be a customer",
        ),
        counterexamples=(
            "I don't want to cancel my subscription, just pause it.",
            "I want to cancel my order",
            "We are not leaving, you have been great.",
            "Can you close the window?",
            "The product is not returnable.",
            "Last time I ordered it came in two days.",
            "Please remove a dependent from my plan.",
        ),
    ),
    CueRule(
        "asks_for_human",
        0.8,  # 0.92 of 308 in the train split of intents; about 0.6 of 30 survey remarks, read once, quickly
        stems(
            "human person people agent agents representative rep operator manager supervisor someone somebody adviser advisor "
            "colleague staff bot robot chatbot robots chat-bot specialist customer assistant live employee worker reception front team boss superior "
            "expert technician department machine computer talk speak chat"
        ),
        deniable=(
            rf"\b(?:help|assistance|trouble|problems?|like|prefer|mind|about|interested in|assist|with) (?:me |us )?(?:in |with |for )?(?:speaking|talking|chatting|connecting|contacting|getting|reaching){_BRIDGE} {_PERSON}\b",
            rf"\b{_TALK}{_BRIDGE} {_PERSON}\b(?! (?:was|is|were|who|told|and (?:i|they|he|she|got)|but (?:they|he|she)|has|had|says?|said|several|many|\d+ times|times|about (?:it )?(?:yesterday|and))\b)",
            r"\b(?:want|need|give(?: me| us)?|get|call|find|require|request|demand)(?: me| us| to| for| you)? (?:a |an |the |your |some |any |another )?(?:real |actual |live |different |proper |human |other |customer service )*(?:human|person|agent|representative|rep|operator|manager|supervisor|advis[eo]r|assistant)\b(?! (?:was|is|were|who|told)\b)",
            r"\b(?:want|need|like|get)(?: to)? (?:someone|somebody) (?:else |real |from \w+ )?(?:to|who) (?:talk|speak|call|help|explain|ring|phone|contact)\b",
            r"\b(?:can|could|may|let) (?:someone|somebody|anyone|anybody) (?:else )?(?:please )?(?:call|phone|ring|contact|help|talk|speak|take a look)\b",
            r"\b(?:real|actual|live|human) (?:human|person|people|agent|representative|operator|being)\b(?! (?:was|is|were|who)\b)",
            r"\b(?:is there|are you) (?:a |an |any )?(?:human|real person|bot|robot|machine)\b",
            r"\b(?:human|agent|operator|representative|real person)[ ,]*(?:please|pls|now)\b",
        ),
        not_after=r"\b(?:nice|good|great|pleasure|pleased|happy|glad|easy|eas(?:ier|ily)|wonderful|lovely|love|loved|better|able|if|when (?:i|we|you|they)|every ?time|had|after|while|before|ability|chance|tired|spent|asked|ask|told|said|they|she|he|always|decided)\b(?! (?:ask|want|need|like)\b)",
        patterns=(
            r"\b(?:not|don't|do not|never|stop|no more|instead of|rather than|tired of|sick of)(?: \w+){0,5} (?:a |an |the |your |this |another )(?:\w+ )?(?:bots?|robots?|machine|computer|chat-?bots?)\b",
            r"\b(?:don't|do not) want to (?:talk|speak|chat) (?:to|with) you\b",
            r"\bnot a (?:\w+ )?(?:bot|robot|machine)\b(?! i)",
            r"\b(?:stupid|useless|dumb|idiotic|bloody) (?:chat)?-?(?:bot|robot|machine)\b",
            r"\bthis (?:chat)?-?(?:bot|robot) (?:is|does|doesn't|can't|cannot)\b",
        ),
        examples=(
            "Can I speak to a human please?",
            "Put me through to your manager.",
            "I need a real person, not a bot",
            "agent please",
            "Could somebody call me?",
            "I don't want to talk to a machine",
            "I'd like to talk to one of your colleagues",
        ),
        counterexamples=(
            "The agent was friendly.",
            "I don't need to speak to anyone, thanks.",
            "I spoke to an advisor and she solved it.",
            "I called customer service twice.",
            "The agent put me on hold.",
        ),
    ),
    CueRule(
        "repeated_contact",
        0.8,  # 40 of 50 in app reviews and survey remarks, read once, quickly
        stems(
            "again still third fourth fifth second times several multiple repeatedly already yet another twice many weeks "
            "keep keeps once follow following chasing chased asked waiting before over escalated explained explain said told mentioned gave given sent answered start calling repeating repeat 3rd 4th 5th"
        ),
        not_after=r"\b(?:someone|might|if|so that|to)\b",
        deniable=(
            r"\b(?:second|third|fourth|fifth|sixth|tenth|\d+(?:nd|rd|th)) (?:e-?mail|call|message|ticket|attempt|request|complaint|contact|agent|person i)\b",
            r"\b(?:third|fourth|fifth|sixth|tenth|\d+(?:rd|th)) time\b(?! (?:around|using|buying|ordering|lucky|here|staying|(?:i|we|i've|we've) (?:have )?(?:used|bought|ordered|stayed|been|shopped|flown)))",
            r"\b(?:second|2nd) time (?:this (?:week|month|year|has)|now|calling|asking|writing|contacting|in a row|(?:i|we|i'm|we're|i've|we've)(?: am| are| have| had)?(?: to)? (?:call|contact|writ|wrote|ask|report|complain|e-?mail|messag|told|tell|explain|chas|phon|rais|request|rang|return|sen[dt]))",
            r"\b(?:call(?:ed|ing)?|e-?mailed|written|wrote|contact(?:ed)?|asked|messaged|report(?:ed)?|chased|complain(?:ed)?|phoned|rang|explain(?:ed)?|told|tell|escalated|requested|repeat(?:ed)?|raised)(?: (?!and\b|but\b|so\b|would\b|must\b)\w+){0,6} (?:again\b(?! request)|twice|(?:two|three|four|five|six|ten|several|many|multiple|so many|countless|\d+|n) times|repeatedly|already|over and over|and again|every (?:day|week))",
            r"\b(?:already|again|repeatedly|twice|multiple times|several times|many times|keep|kept|have to)(?: \w+){0,2} (?:called|emailed|e-mailed|written|contacted|contacting|asked|asking|messaged|reported|calling|emailing|explained|explaining|told|chasing|complained|sent you|submitted|given you|gave you|provided|mentioned|said (?:that|this|it)|repeating)\b",
            r"\b(?:have|had|having|made me) to (?:keep )?(?:repeat(?:ing)? myself|explain(?:ing)? (?:everything|it all|it|myself|the whole thing)(?: \w+){0,3} (?:again|over)|start (?:all )?over|call(?:ing)? (?:back|again))\b",
            r"\bstill (?:waiting|no (?:reply|answer|response|news|update|solution|resolution|refund)|chasing|haven't (?:heard|received|had|got)|have not (?:heard|received|had|got)|hasn't been|(?:it's |is |are |was )?not (?:heard|received|been|resolved|fixed|solved|sorted|answered))",
            r"\b(?:yet to|keep) (?:hear|receive (?:a|any) (?:reply|answer|response)|chasing)\b",
            r"\b(?:as|like) (?:i|we) (?:have )?(?:already )?(?:said|explained|told you|wrote|mentioned)\b",
            r"\b(?:i|we)(?:'ve| have)? (?:just |already |literally )(?:told|explained|gave|given|sent|answered|said)\b(?: (?:you|this|that|it|him|her|them|the|my|your|all)\b)",
            r"\bfollow(?:ing)?[- ]up (?:on|for|to|again)(?: (?:my|our|this|the))?(?: \w+)? (?:e-?mail|ticket|request|complaint|message|case|call)",
            r"\bhow many (?:more )?times (?:do|should|must|have|shall|will|can)\b",
            r"\bno matter how many times\b",
            r"\bwaiting (?:for )?(?:over |more than |almost |nearly )?(?:\d+|two|three|four|five|six|several|many) (?:weeks|months|days)\b",
            r"\b(?:same|this) (?:issue|problem|question|thing|complaint|matter|story) (?:again|for the|over and over|every time|once more)\b",
        ),
        examples=(
            "This is the third time I am writing about the same invoice.",
            "I have already called twice and nobody knows anything",
            "Still no reply after a week",
            "I’ve contacted you several times.",
            "I already told you my order number",
            "I have to repeat myself with every agent",
            "As I said, the box was empty",
        ),
        counterexamples=(
            "I would buy it again.",
            "This is my first message.",
            "Second time buying, still happy.",
        ),
    ),
    CueRule(
        "passed_around",
        0.8,  # not measured: no labelled set holds it
        stems(
            "transferred passed bounced pillar forth department departments person people agent agents colleague colleagues different "
            "one another handed redirected sent around"
        ),
        deniable=(
            r"\b(?:transferred|passed|bounced|handed|redirected|sent|pushed|shoved)(?: (?:me|us|on|around|over|from|between|my call))* (?:to (?:\w+ )?(?:different|other|another)|(?:two|three|four|five|six|several|many|multiple|\d+) (?:times|people|agents|departments|colleagues)|from one|around|between (?:departments|people|agents|colleagues|teams|you)|back and forth|again and again)\b",
            r"\b(?:second|third|fourth|fifth|sixth|\d+(?:nd|rd|th)) (?:person|agent|colleague|representative|department|advis[eo]r)\b(?: (?:i|we|i've|i'm|we've|to|who|today|now))",
            r"\bpillar to post\b",
            r"\b(?:to|with|by|through) (?:\w+ )?(?:different|separate) (?:people|agents|departments|colleagues|advis[eo]rs|representatives)\b",
            r"\bfrom one (?:\w+ )?(?:department|person|agent|colleague|team|desk) to (?:the next|another|the other)\b",
        ),
        examples=(
            "I was transferred three times.",
            "You are the fourth person I talk to",
            "They send me from one department to another",
        ),
        counterexamples=("I transferred the money three times.", "You sent another parcel."),
    ),
    CueRule(
        "broken_promise",
        0.8,  # 28 of 34 in app reviews and survey remarks, read once, quickly
        stems(
            "promise promised promises told said assured assure guaranteed guarantee supposed agreed were never nobody commitment "
            "commitments call confirmed word meant would lied lies advised"
        ),
        deniable=(r"\b(?:was|were|am|been|had been) (?:promised|assured|guaranteed)\b",),
        patterns=(
            r"\b(?:you|they|your \w+|the (?!two )\w+|he|she|someone|agent|executive|staff|company|who) (?:had |have |has |100% )?(?:promised|guaranteed)\b(?! (?:delivery|terms))",
            r"\b(?:you|they|your \w+|the (?!two )\w+|he|she|someone|agent|executive|staff) (?:had |have |has |100% )?(?:assured|agreed)\b[^.!?]{0,80}\b(?:but|yet|however|never|didn't|not|hasn't|haven't|still|nothing|wasn't)\b",
            r"\b(?:broken|empty|false|fake|kept (?:no|none of)|didn't keep|did not keep|don't keep|never kept|never keep|not keep(?:ing)?|broke|not fulfill?(?:ed|ing)?|back on) (?:your |their |its |his |her |the |a |any |every |my )?(?:promise|promises|promised|commitment|word)",
            r"\b(?:not as|than|what (?:was|were|is|you|they|you have|they have|they had|i was|we were)) (?:you |they |we were |i was )?promised\b",
            r"\b(?:told|said|confirmed|advised)(?: \w+){0,6} (?:would|will|'ll)(?: \w+){0,10} (?:but|yet|and (?:it |they |he |she |you )?(?:didn't|never|nothing|hasn't|haven't|still))",
            r"\b(?:was|were|is|are) supposed to (?:be |have |get |come |arrive |receive |call |ship |deliver |send |happen |start |refund )(?:\w+ ){0,8}(?:but|yet|and (?:it|they|nobody|never|still|nothing)|(?:last|two|three|a) (?:week|month|day|year)s?|yesterday|by (?:now|\w+day))",
            r"\b(?:was|were|is|are) supposed to (?:come|call|arrive|deliver|ship|refund|be (?:delivered|refunded|here|fixed|resolved))\b",
            r"\b(?:nobody|no one|never|you didn't|they didn't|did not|no) (?:\w+ )?(?:ever )?(?:call(?:ed|s)?|phon(?:e|ed)|got|email(?:ed)?|rang|contact(?:ed)?) (?:me |us |you )?back\b",
            r"\b(?:nobody|no one|never|they|he|she) (?:has |have |ever |never |didn't |did not )?(?:get|got|gets|getting) back to (?:me|us)\b",
        ),
        examples=(
            "Your colleague promised a refund within five days.",
            "I was told it would arrive Monday but nothing came.",
            "Nobody called me back.",
            "The technician was supposed to come on Tuesday and nobody showed up",
            "All false promises",
            "They assured me it was fixed but it is not",
        ),
        counterexamples=(
            "It does what it says.",
            "They told me it would take a day and it did.",
            "He assured me and it was solved the same day.",
        ),
    ),
)
