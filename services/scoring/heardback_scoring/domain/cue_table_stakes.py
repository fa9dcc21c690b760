# ruff: noqa: E501  (a pattern is read best on one line)
"""Cues of what is at stake: leaving, money, safety, promises, law, data."""

from heardback_scoring.domain.cues import CueRule, stems

_ACCOUNT = (
    r"(?:my |our |the |this |all |of |a |an |your |\w+ ){0,4}"
    r"(?:subscription|account|membership|contract|plan|policy|service|profile|renewal|policie|insurance)s?"
)

STAKES: tuple[CueRule, ...] = (
    CueRule(
        "wants_to_leave",
        0.85,
        stems("not never won't don't doesn't last final lost taking take"),
        also=stems(
            "renew renewing coming come return use using buy buying order ordering shop shopping stay staying "
            "again time purchase year month customer client user buyer elsewhere somewhere booking"
        ),
        patterns=(
            r"\b(?:will not|won't|not going to|never|not|won't be|don't(?: \w+){0,2}) (?:be )?(?:renew|coming back|come back|return|use (?:you|this|your|them) again|buy(?:ing)? (?:from (?:you|here|them|this) )?again|order(?:ing)? (?:from (?:you|here|them|this) )?again|shop(?:ping)? (?:here|with you|there) again|stay(?:ing)?\b)\w*",
            r"\b(?:last|final) (?:time|order|purchase|year|month) (?:i|we|i'll|we'll|i'm|we're|with you|here|from)\b",
            r"\byou(?:'ve| have)? (?:just )?lost (?:a|me as a|another|us as a|this) (?:\w+ ){0,2}(?:customer|client|user|buyer)",
            r"\b(?:tak(?:e|ing)) (?:my|our) (?:business|money|custom) (?:elsewhere|somewhere else)",
            r"\bnever (?:again|using|buying|ordering|shopping|coming back|booking)\b",
        ),
    ),
    CueRule(
        "wants_to_leave",
        0.85,
        stems(
            "cancel close closing delete leave leaving switch terminate quit end ending elsewhere competitor "
            "unsubscribe done moving move drop stop deactivate remove uninstall discontinue out go going "
            "deletion closure removal termination closed deleted"
        ),
        deniable=(
            rf"\b(?:cancel(?:l?ing|lation of)?|clos(?:e|ing)|terminat(?:e|ing)|end(?:ing)?|delet(?:e|ing)|discontinu(?:e|ing)|deactivat(?:e|ing)|drop(?:ping)?|remov(?:e|ing)|stop(?:ping)?) {_ACCOUNT}\b",
            r"\b(?:want|wants|wanna|like|need|wish|going|ready|decided|plan|planning|about|have|considering|consider|thinking (?:about|of)) (?:to )?(?:cancel|cancelling|canceling|leave you|leaving(?: you)?|quit|quitting|switch|switching|go elsewhere|move (?:on )?to (?:a |another|your)|unsubscribe|end this)\b(?! (?:my |the |this |that |an? )?(?:order|booking|appointment|payment|transfer|purchase|top))",
            r"\b(?:leaving|switching|moving|switch|move|going) (?:to|over to) (?:a |another |your |the |one of your )?(?:different |other )?(?:competitor|competition|provider|company|supplier|bank|carrier|vendor|app|service)s?",
            r"\b(?:going|go|shop|buy|look|looking) elsewhere\b",
            r"\b(?:i|we)(?:'m|'re| am| are| will be|'ll be)? (?:leaving|done with (?:you|this (?:company|app|bank|service|shop)|them)|out of here|uninstalling|deleting (?:the|this|your) app)\b",
            r"\b(?:uninstall(?:ed|ing)|deleted) (?:it|this|the app|this app|your app)\b",
            r"\b(?:account|subscription|membership|plan|policy|contract)s? (?:be |get |to be )?(?:cancell?ation|clos(?:ure|ing|ed)|delet(?:ion|ed)|removal|terminat(?:ion|ed)|cancell?ed)s?\b",
            rf"\b(?:cancell?ation|closure|deletion|termination|removal) of {_ACCOUNT}\b",
            r"\bclose (?:\w+ ){1,2}\w+'s account\b",
        ),
        examples=(
            "I want to cancel my subscription today.",
            "We will not be renewing in December.",
            "Honestly I’m thinking about switching to another provider",
            "You have just lost a loyal customer.",
            "Please close my account.",
            "Why won't you let me cancel my membership?",
            "this is the last time I order from you",
        ),
        counterexamples=(
            "I don't want to cancel my subscription, just pause it.",
            "I want to cancel my order",
            "We are not leaving, you have been great.",
            "Can you close the window?",
        ),
    ),
    CueRule(
        "asks_for_human",
        0.9,
        stems(
            "human person people agent representative rep operator manager supervisor someone somebody adviser advisor "
            "colleague staff bot robot operator specialist customer assistant live"
        ),
        deniable=(
            r"\b(?:speak|talk|chat|connect|transfer|put|pass|escalate|get|speaking|talking|reach|contact|call|want|need|give|hand|switch)\w*(?: (?:me|this|us|to|with|through|over|on|hold|of|in|touch|back|by|from|you|a|an|the|your|any|some|real|actual|live|is|directly))*? (?:human|person|people|agent|representative|rep|operator|manager|supervisor|someone|somebody|advis[eo]r|staff|specialist|customer (?:service|support|care)(?: \w+)?|assistant)\b",
            r"\b(?:real|actual|live) (?:human|person|people|agent|representative|operator)\b",
            r"\b(?:is there|are you) (?:a |an |any )?(?:human|real person|bot|robot)\b",
            r"\b(?:human|agent|operator|representative|real person)[ ,]*(?:please|pls|now)\b",
            r"\bnot (?:a|another|this|your) (?:\w+ )?(?:bot|robot|machine)\b",
        ),
        examples=(
            "Can I speak to a human please?",
            "Put me through to your manager.",
            "I need a real person, not a bot",
            "agent please",
        ),
        counterexamples=("The agent was friendly.", "I don't need to speak to anyone, thanks."),
    ),
    CueRule(
        "repeated_contact",
        0.85,
        stems(
            "again still third fourth fifth second times several multiple repeatedly already yet another twice many weeks "
            "keep once follow following chasing chased asked waiting"
        ),
        deniable=(
            r"\b(?:second|third|fourth|fifth|sixth|tenth|\d+(?:nd|rd|th)) (?:time|e-?mail|call|message|ticket|attempt|request|complaint|contact)\b",
            r"\b(?:called|emailed|e-mailed|written|wrote|contacted|asked|messaged|reported|chased|complained|phoned|explained|told|tried)(?: \w+){0,5} (?:again|twice|(?:two|three|four|five|six|ten|several|many|multiple|so many|countless|\d+) times|repeatedly|already|over and over|and again)\b",
            r"\b(?:already|again|repeatedly|twice|multiple times|several times|keep|kept)(?: \w+)? (?:called|emailed|written|contacted|contacting|asked|asking|messaged|reported|calling|emailing|explained|explaining|told|chasing|complained|opened|sent)\b",
            r"\b(?:still|yet to|keep) (?:waiting|no (?:reply|answer|response|news|update|solution)|chasing|haven't (?:heard|received|had|got)|not (?:heard|received|resolved|fixed|solved))\b",
            r"\b(?:as|like) (?:i|we) (?:said|explained|told you|wrote|mentioned)(?: \w+){0,3} (?:before|last|already|earlier|yesterday)",
            r"\bfollow(?:ing)?[- ]up (?:on|for|to) (?:my|our|this|the) (?:\w+ )?(?:e-?mail|ticket|request|complaint|message|case|call)",
            r"\bhow many (?:more )?times\b",
            r"\bwaiting (?:for )?(?:over |more than |almost )?(?:\d+|two|three|four|five|several|many) (?:weeks|months|days)\b",
        ),
        examples=(
            "This is the third time I am writing about the same invoice.",
            "I have already called twice and nobody knows anything",
            "Still no reply after a week",
            "I’ve contacted you several times.",
        ),
        counterexamples=("I would buy it again.", "This is my first message."),
    ),
    CueRule(
        "broken_promise",
        0.8,
        stems(
            "promise promised promises told said assured guaranteed guarantee supposed agreed were never commitment call "
            "confirmed word meant would"
        ),
        patterns=(
            r"\b(?:you|they|your \w+|the \w+|he|she|was|were|been|had|someone) (?:had |have )?(?:promised|assured|guaranteed|agreed)\b(?! (?:delivery|terms))",
            r"\b(?:broken|empty|false|kept (?:no|none of)|didn't keep|did not keep|never kept|broke) (?:your |their |its |the |a |any |every )?(?:promise|commitment|word)s?",
            r"\b(?:told|said|confirmed)(?: \w+){0,6} would(?: \w+){0,10} (?:but|yet|and (?:it |they |he |she |you )?(?:didn't|never|nothing|hasn't|haven't|still))",
            r"\b(?:was|were|is|are) supposed to (?:\w+ ){1,8}(?:but|yet|and (?:it|they|nobody|never|still|nothing)|(?:last|two|three|a) (?:week|month|day|year)s?|yesterday|by (?:now|\w+day))",
            r"\b(?:nobody|no one|never|you didn't|they didn't|did not) (?:ever )?(?:call(?:ed)?|phon(?:e|ed)|get|got|email(?:ed)?) (?:me |us )?back\b",
        ),
        examples=(
            "Your colleague promised a refund within five days.",
            "I was told it would arrive Monday but nothing came.",
            "Nobody called me back.",
            "The technician was supposed to come on Tuesday and nobody showed up",
        ),
        counterexamples=("It does what it says.", "They told me it would take a day and it did."),
    ),
    CueRule(
        "money_dispute",
        0.8,
        stems(
            "refund refunds refunded refunding charged charge charges charging overcharged money invoice invoiced billed "
            "bill billing payment paid deducted debited debit dispute disputing unauthorised unauthorized fee fees twice "
            "compensation reimburse reimbursed reimbursement chargeback price transaction withdrawal amount statement owe "
            "paying purchase transfer someone"
        ),
        patterns=(
            r"\b(?:charge|payment|transaction|debit|withdrawal|purchase|transfer)s?\b[^.!?]{0,60}\b(?:don't|do not|didn't|did not|never|not|dont|didnt) (?:think i |actually )?(?:recogni[sz]e|ma[dk]e|authori[sz]e|remember|recall|set)",
            r"\b(?:don't|do not|didn't|did not|never|dont|didnt) (?:recogni[sz]e|ma[dk]e|authori[sz]e|remember|recall)\b[^.!?]{0,30}\b(?:charge|payment|transaction|debit|withdrawal|purchase|transfer)",
            r"\b(?:billing|payment|invoice|refund)s? (?:issue|problem|error|mistake|dispute)s?\b",
            r"\bsomeone (?:has |have |is |just )*(?:withdrawn|withdrawing|withdrew|charged)\b",
        ),
        deniable=(
            r"\b(?:refund|reimburse|reimbursement|chargeback|compensation)(?:ed|ing|s|ment)?\b",
            r"\bmoney back\b",
            r"\b(?:over|double|wrongly|incorrectly|twice|mis)-?\s?(?:charged|billed|invoiced)\b",
            r"\b(?:charged|billed|invoiced|debited|deducted|taken|paid|charging|pay)(?: \w+){0,5} (?:twice|double|two times|again|extra|too much|wrong(?:ly)?|without|more than|for something|for nothing|incorrect(?:ly)?|by mistake|instead of)\b",
            r"\b(?:wrong|incorrect|unexpected|unknown|unauthori[sz]ed|extra|strange|additional|hidden|duplicate|second|mystery|fraudulent|unrecogni[sz]ed) (?:\w+ ){0,2}(?:charge|fee|amount|payment|bill|invoice|debit|withdrawal|transaction)s?\b",
            r"\b(?:dispute|disputing|contest|question|recogni[sz]e|make|authori[sz]e)(?: \w+){0,4} (?:charge|payment|invoice|bill|transaction|fee|debit|withdrawal)s?\b",
            r"\b(?:why|what)(?: \w+){0,5} (?:charged|charge|fee|billed|debited|deducted)\b",
            r"\b(?:took|taken|keep taking|stole|owe|lost)(?: \w+){0,3} money\b",
            r"\b(?:invoice|bill|statement|amount) (?:is|was|are|were|shows?)(?: \w+){0,3} (?:wrong|incorrect|too high|higher|double|mistake)\b",
            r"\b(?:problem|issue|trouble|error)s? (?:with|paying|in|about|making)(?: \w+){0,4} (?:payment|bill|billing|invoice|charge|pay)s?\b",
        ),
        examples=(
            "I was charged twice for the same order.",
            "I want my money back",
            "There is a strange fee on my statement.",
            "The invoice is wrong again.",
        ),
        counterexamples=("I don't want a refund, I want it fixed.", "The price is fair."),
    ),
    CueRule(
        "loss_or_fraud_urgent",
        0.85,
        stems(
            "stolen stole lost fraud fraudulent scam scammed hacked hack hacker compromised unauthorised unauthorized "
            "identity phishing robbed suspicious card account left taken accident crash crashed locked theft thief missing someone"
        ),
        deniable=(
            r"\b(?:stolen|robbed|scammed|defrauded|phishing|identity theft|thief|thieves)\b",
            r"\b(?:lost|misplaced|missing|lose|can't find|cannot find)(?: \w+){0,3} (?:card|phone|wallet|passport|purse|bag|luggage|key|keys|device|laptop|cards|handset|mobile)\b",
            r"\b(?:card|phone|wallet|passport|luggage|handset|mobile)(?: \w+){0,3} (?:lost|missing|gone)\b",
            r"\b(?:account|card|profile|login|details|phone|identity|e-?mail|password|pin|info\w*)(?: \w+){0,5} (?:hacked|compromised|breached|taken over|cloned|used by|leaked)\b",
            r"\b(?:hacked|compromised|cloned)(?: \w+){0,3} (?:account|card|profile|password|phone)\b",
            r"\b(?:fraud|fraudulent|unauthori[sz]ed) (?:\w+ )?(?:charge|transaction|payment|activity|purchase|withdrawal|access|use|transfer)s?\b",
            r"\b(?:victim of|report|suspect|committing|committed)(?: \w+){0,2} (?:fraud|scam|theft)\b",
            r"\bsomeone (?:else )?(?:is |has |had |may have |might have |must have )?(?:used|using|accessed|accessing|withdrew|withdrawn|bought|logged|got into|stole|made|took)(?: \w+){0,3} (?:card|account|money|details|phone|purchase|name|identity)s?\b",
            r"\b(?:card|phone|account|wallet|mobile) (?:was|is|has been|got|were|being) (?:used|missed|miss|left|taken|misused)\b(?! (?:by me|yesterday by))",
            r"\b(?:used?|using|accessed) (?:my|our) (?:card|account|phone|identity)(?: \w+){0,3} without\b",
            r"\bsuspicious (?:\w+ )?(?:spending|activity|transaction|charge|login|payment|withdrawal)s?\b",
            r"\b(?:fraud|stole|car crash)\b",
            r"\b(?:had|was in|been in|have|in|report)(?: \w+){0,3} (?:an|a|my|the)(?: \w+)? accident\b",
        ),
        examples=(
            "My card was stolen this morning!",
            "Someone has used my account",
            "I lost my phone with the app on it",
            "I see fraudulent transactions in my account",
        ),
        counterexamples=("You lost my trust.", "My card was not stolen."),
    ),
    CueRule(
        "legal_or_press_threat",
        0.85,
        stems(
            "lawyer lawyers attorney solicitor solicitors legal legally sue suing court lawsuit ombudsman regulator tribunal "
            "press journalist newspaper newspapers media twitter trustpilot consumer authorities authority police report "
            "reporting bbb public viral claim action ftc fca complaint"
        ),
        deniable=(
            r"\b(?:my|our|a|the|contact(?:ing)?|call(?:ing)?|get(?:ting)?|speak(?:ing)? to|consult(?:ing)?) (?:\w+ )?(?:lawyers?|attorneys?|solicitors?)\b",
            r"\b(?:legal|court) (?:action|steps|proceedings|advice|department|case|order)\b",
            r"\b(?:sue|suing) (?:you|them|your|the|this|for|if)\b",
            r"\b(?:see|take|taking|meet|go|going|bring) (?:you |them |this |it |this matter )?(?:in|to) (?:court|the (?:small claims|ombudsman|press|media|newspapers?|police|regulator|authorities|tribunal))\b",
            r"\b(?:small claims|class action|lawsuit|ombudsman|trading standards|better business bureau|consumer (?:protection|affairs|court|rights)|data protection authority)\b",
            r"\b(?:report|reporting|complain|complaint|complaining)(?: \w+){0,4} (?:to|with) (?:the |your |a )?(?:\w+ )?(?:regulator|authorit(?:y|ies)|police|bbb|fca|ftc|ombudsman|commission)\b",
            r"\b(?:journalist|newspapers?|go viral|go public|going public|(?:post|share|tell|put)(?: \w+){0,4} (?:on|all over|across) (?:twitter|social media|facebook|linkedin|trustpilot|reddit))\b",
        ),
        examples=(
            "You will hear from my lawyer.",
            "I'll take this to the ombudsman",
            "We are going to sue you for this.",
            "I will report you to the regulator",
        ),
        counterexamples=("I don't want to take legal action.", "The press on the door is heavy."),
    ),
    CueRule(
        "safety",
        0.85,
        stems(
            "fire burned burnt burning smoke exploded explode explosion injured injury hurt hospital allergic dangerous danger "
            "unsafe shock electric electrocuted poisoning poisoned sick overheat overheated overheating sparks choke choking "
            "ambulance bleeding suicide suicidal kill safety hazard emergency contaminated mould mold glass gas harm"
        ),
        deniable=(
            r"\b(?:caught|on|catch(?:es|ing)?|started a|start a|a) fire\b",
            r"\b(?:explod(?:ed|es|ing|e)|explosion|electrocuted|electric shock|overheat(?:ed|s|ing)|gas leak|sparks? (?:came|fly|flew|coming))\b",
            r"\b(?:burn(?:ed|t)|injured|hurt|cut|harmed|poisoned|choked) (?:my|me|her|his|our|him|myself|the child|a child|the baby|someone|badly|by)\b",
            r"\b(?:injury|injuries|injured|hospital|ambulance|bleeding|food poisoning|allergic reaction|anaphyla\w+|contaminated|choking)\b",
            r"\b(?:dangerous|unsafe|safety (?:hazard|risk|issue|concern|problem)|health (?:hazard|risk)|hazardous|life[- ]threatening)\b",
            r"\b(?:smoke|smell of burning|burning smell|smoking)\b(?: (?:came|coming|from|out|when|and|smell))",
            r"\b(?:kill(?:ing)? myself|suicid(?:e|al)|end my life|harm(?:ing)? myself)\b",
            r"\b(?:made|got|making|feeling|felt) (?:me |us |my \w+ |very |really |seriously )?(?:ill|sick) (?:after|from)\b",
        ),
        examples=(
            "The charger caught fire next to my bed.",
            "My daughter had an allergic reaction because the label was missing",
            "This is a safety hazard",
            "I got sick after eating it",
        ),
        counterexamples=("Fire the manager.", "Nobody was injured.", "I am sick of this."),
    ),
    CueRule(
        "privacy_discomfort",
        0.8,
        stems(
            "privacy private personal data tracking track gdpr creepy spying spy listening consent spam spamming selling sell sold "
            "shared share leaked leak unsubscribe stalking photos location permission permissions details"
        ),
        deniable=(
            r"\b(?:privacy|gdpr|ccpa|spyware|data (?:breach|leak|protection)|leaked (?:my|our|customer))\b",
            r"\b(?:shar(?:e|ed|ing)|sell(?:ing)?|sold|leak(?:ed|ing)?|collect(?:ed|ing|s)?|giv(?:e|en|ing)|track(?:ed|ing|s)?|harvest\w*|misus\w+)(?: \w+){0,4} (?:my|our|personal|private|customer|users?'?) (?:\w+ )?(?:data|details|information|info|number|e-?mail|address|location)\b",
            r"\b(?:delete|erase|remove|what|where|why)(?: \w+){0,6} (?:my|our) (?:personal )?(?:data|personal information|personal details)\b",
            r"\b(?:creepy|spying on|stalking me|listening to (?:me|my)|without (?:my|our) (?:consent|permission|knowledge)|uncomfortable (?:giving|sharing|that you))\b",
            r"\b(?:spam(?:ming|med)?|stop (?:sending|e-?mailing|texting|calling)(?: me| us)?)\b",
            r"\b(?:why|how) (?:do|does|did) (?:you|they|it|the app)(?: \w+){0,4} (?:my|access to my) (?:\w+ )?(?:location|contacts|photos|microphone|camera|number|address)\b",
        ),
        examples=(
            "It is creepy how much you know about me.",
            "You shared my phone number with others",
            "Why does the app need my location?",
            "Please delete all my personal data.",
        ),
        counterexamples=("I am happy to share my experience.", "We had a private room."),
    ),
)
