# ruff: noqa: E501  (a pattern is read best on one line)
"""Cues of what is at stake: money, loss, law, safety, data."""

from heardback_scoring.domain.cues import CueRule, stems

_DEBIT = r"(?:charge|payment|transaction|debit|withdrawal|withdraw|purchase|transfer|fee)s?"
_NEVER_DID = r"(?:i|we|was|were|is|are|that|which|it|me)? ?(?:don't|do not|didn't|did not|never|not|dont|didnt|haven't|have not|hasn't|hadn't|wasn't|isn't) (?:think i |actually |even |ever |been |have )*(?:recogni[sz]e|recongi[sz]e|recogni[sz]ed|ma[dk]e|authori[sz]ed?|remember|recall|set|do|done|did|complete|completed|approved?|creat\w+|request\w*|initiate\w*|seen|sign|buy|bought|mine|me|by me|know|familiar|aware|understand)"
_WRONG = r"(?:wrong|incorrect|unexpected|unknown|unauthori[sz]ed|extra|strange|additional|hidden|duplicate|second|mystery|fraudulent|unrecogni[sz]ed|weird|odd|random|double|unexplained|unfair|suspicious)"
_VALUABLE = r"(?:cards?|phone|wallet|passport|purse|bag|luggage|suitcase|keys?|device|laptop|handset|mobile|camera|credit card|debit card|mastercard|visa|sim|atm card|tablet|ipad|iphone|fob|watch|jewell?ery)"

STAKES: tuple[CueRule, ...] = (
    CueRule(
        "money_dispute",
        0.85,  # 0.87 of 1703 in the train split of intents, 0.85 of 233 in dev
        stems(
            "refund refunds refunded refunding charged charge charges charging overcharged money invoice invoiced billed "
            "bill billing payment paid deducted debited debit dispute disputing unauthorised unauthorized fee fees twice "
            "compensation reimburse reimbursed reimbursement chargeback price transaction transactions withdrawal withdraw amount "
            "statement owe owes paying purchase transfer someone pay cash duplicate duplicated pound dollar euro want back rebate cashback"
        ),
        patterns=(
            rf"\b{_DEBIT}\b[^.!?]{{0,60}}\b{_NEVER_DID}\b",
            rf"\b(?:don't|do not|didn't|did not|never|dont|didnt) (?:\w+ )?(?:recogni[sz]e|recongi[sz]e|ma[dk]e|authori[sz]ed?|remember|recall|approved?|withdraw|withdrew|purchase|request)\b[^.!?]{{0,30}}\b{_DEBIT}\b(?! (?:method|option|plan|arrangement))",
            r"\b(?:charge|payment|transaction|debit|withdrawal|purchase|fee)s?\b[^.!?]{0,40}\b(?:know nothing about|no idea (?:what|where|about)|never seen|unfamiliar|(?:is|was|be) (?:a|an) (?:mistake|error)|in error|by mistake|showing twice|not mine|wasn't me|more than once|multiple times|many times|several times|twice|two times|three times|duplicated?)\b",
            r"\b(?:billing|bill|payment|invoice|refund|charge)s? (?:issue|problem|error|mistake|dispute|discrepanc)\w*\b",
            r"\bsomeone (?:has |have |is |just )*(?:withdrawn|withdrawing|withdrew|charged|made a)\b",
            r"\b(?:more than one|two|multiple|several|double|duplicate|duplicated) (?:of the same |identical |same )?(?:charge|payment|transaction|debit|fee)s?\b(?! (?:methods?|options?|types?))",
            r"\bwant (?:\w+ ){1,4}(?:pounds?|dollars?|euros?|money|[£$€]?\d[\d.,]*[£$€]?) back\b",
        ),
        deniable=(
            r"\b(?:refund|reimburse|reimbursement|chargeback|compensation|rebate)(?:ed|ing|s|ment)?\b(?! (?:polic|period))",
            r"\b(?:money|cash|pounds|dollars|euros|deposit|payment|it all) (?:back|returned)\b(?! (?:guarantee|polic|in my))",
            r"\b(?:give|get|got|getting|return|want|need)(?: me| us)? (?:back )?my (?:\w+ )?money\b(?! (?:in|on|out|worth))",
            r"\b(?:over|double|wrongly|incorrectly|twice|mis)-?\s?(?:charg(?:e|ed|es|ing)|billed|invoiced)\b",
            r"\b(?:charged|billed|invoiced|debited|deducted|taken|paid|charging|pay)(?: \w+){0,5} (?:twice|double|two times|multiple times|again|extra|too much|wrong(?:ly)?|without|more than|for something|for nothing|incorrect(?:ly)?|by mistake|instead of|additional)\b",
            rf"\b{_WRONG} (?:\w+ ){{0,2}}(?:{_DEBIT}|amount|bill|invoice|pound|dollar|euro)s?\b",
            rf"\b{_WRONG} (?:[£$€]\d|\d+[£$€]|\d+ (?:pound|dollar|euro))",
            r"\b(?:dispute|disputing|contest|question|recogni[sz]e)(?: \w+){0,4} (?:charge|payment|invoice|bill|transaction|fee|debit|withdrawal)s?\b",
            r"\bwhy(?: \w+){0,5} (?:charged|charge|fee|billed|debited|deducted|debit)\b",
            r"\bwhat(?:'s| is| are| was| were)(?: \w+)? (?:this|these|that|those|all|with the)(?: \S+){0,3} (?:charge|fee|debit|payment|pound|dollar|transaction|deduction)s?\b",
            r"\b(?:charge|fee|debit|pound|[£$€]\d[\d.]*)s?(?: \w+){0,3} (?:on|in|from|to) my (?:\w+ ){0,2}(?:statement|bill|account|app|card)\b",
            r"\b(?:remove|removed|reverse|reversed|waive|waived|credit me|correct)(?: \w+){0,4} (?:charge|fee|bill|invoice|transaction)s?\b",
            r"\b(?:charge|fee|amount|transaction)s?(?: \w+){0,3} (?:removed?|reversed|waived|credited back)\b",
            r"\b(?:took|taken|keep taking|taking|stole|owe|owes|lost|deducted|debited|missing|withheld|holding|kept)(?: \w+){0,3} money\b",
            r"\b(?:amount|money|cash|payment)s? (?:\w+ ){0,2}(?:is |was |were |been |has |got )*(?:debited|deducted|missing|disappeared|vanished|not credited|not refunded)\b",
            r"\bowes? (?:me|us)\b",
            r"\b(?:invoice|bill|statement|amount)s?(?: \w+)? (?:is|was|are|were|shows?|isn't|has|contains?)(?: \w+){0,3} (?:wrong|incorrect|too high|higher|double|mistake|error|correct|weird|off|inaccurate)\b",
            r"\b(?:problem|issue|trouble|error|mistake|doubt|discrepanc|weird|wrong)\w* (?:with|paying|in|on|about|making|from)(?: \w+){0,5} (?:payment|bill|billing|invoice|charge|pay|statement)s?\b",
            r"\bcancel(?: \w+){0,3} (?:payment|purchase|transaction)s?\b",
        ),
        examples=(
            "I was charged twice for the same order.",
            "I want my money back",
            "There is a strange fee on my statement.",
            "The invoice is wrong again.",
            "There is a payment that was not made by me",
            "You still owe me 40 euros",
            "I see a double charge",
        ),
        counterexamples=(
            "I don't want a refund, I want it fixed.",
            "The price is fair.",
            "Good refund policy.",
        ),
    ),
    CueRule(
        "loss_or_fraud_urgent",
        0.85,  # 0.86 of 546 in the train split of intents, 0.92 of 94 in dev
        stems(
            "stolen stole lost lose fraud frauds fraudulent scam scams scammed hacked hack hacker hackers compromised unauthorised unauthorized "
            "identity phishing robbed suspicious card account left taken accident crash crashed locked theft thief thieves missing someone "
            "forgot forgotten dropped mugged pickpocketed nicked misplaced where breach freeze block longer find gone damaged damage stranger"
        ),
        deniable=(
            r"\b(?:stolen|robbed|scammed|defrauded|phishing|identity theft|mugged|pick-?pocket\w*|nicked|burgled|snatched)\b",
            rf"\b(?:lost|misplaced|missing|lose|can't find|cannot find|cant find|can't locate|dropped|left behind|miss)(?: (?!on\b|in\b|with\b|through\b|from\b|for\b)\w+){{0,3}} {_VALUABLE}\b(?! (?:number|details|reader|pin|payment|game))",
            rf"\b(?:left|forgot|forgotten) (?:my|our|the) (?:\w+ )?{_VALUABLE}\b (?:at|in|on|somewhere|behind) (?!work|home|time)",
            rf"\b(?:my|our) (?:\w+ )?{_VALUABLE}(?: \w+){{0,3}} (?:lost|missing|gone)\b(?! (?:out|signal|down|off))",
            rf"\b(?:don't know where|do not know where|dont know where|not sure where|no idea where|no longer have|not in possession of) (?:\w+ )?(?:my|our) (?:\w+ )?{_VALUABLE}\b",
            r"\b(?:account|card|profile|login|details|phone|identity|e-?mail|password|pin|info\w*)(?: \w+){0,5} (?:hacked|compromised|breached|taken over|cloned|used by|leaked)\b",
            r"\b(?:hacked|compromised|cloned)(?: \w+){0,3} (?:account|card|profile|password|phone)\b",
            r"\b(?:been|was|got|were) hacked\b",
            r"\b(?:fraud|fraudulent|unauthori[sz]ed) (?:\w+ )?(?:charge|transaction|payment|activity|purchase|withdrawal|access|use|transfer|debit)s?\b",
            r"\b(?:victim of|report|reporting|suspect|committing|committed|commit)(?: \w+){0,2} (?:fraud|scam|theft)\b",
            r"\bsomeone(?: else)?(?: \w+){0,5} (?:use|used|using|accessed|access|accessing|withdrew|withdrawn|bought|logged|got|gotten|get|stole|made|making|took|has|have|copied|cloned)(?: \w+){0,4} (?:my|our) (?:\w+ )?(?:card|account|money|details|phone|purchase|name|identity|information|info|cash|data|number)s?\b",
            r"\bsomeone(?: else)? (?:is |has |was |might be |may be |could be )?(?:\w+ )?(?:using|used|stole|stolen|has|charging) (?:it|them)\b",
            r"\bsomeone(?: \w+){0,3} (?:made|making|making a) (?:\w+ ){0,2}(?:charge|transaction|payment|purchase|withdrawal)s?\b",
            r"\b(?:card|phone|account|wallet|mobile) (?:was|is|has been|got|were|being) (?:used|missed|miss|left|taken|misused)\b(?! (?:by me|yesterday by|for|to|as|at checkout))",
            r"\b(?:used?|using|accessed) (?:my|our) (?:card|account|phone|identity)(?: \w+){0,3} without\b",
            r"\bsuspicious (?:\w+ )?(?:spending|activity|transaction|charge|login|payment|withdrawal)s?\b",
            r"\b(?:security breach|hackers?)\b",
            r"\bfraud (?:on|to|in|with|against) (?:my|our) (?:\w+ )?(?:account|card|statement)s?\b",
            rf"\bstole (?:all |everything|(?:my|our|his|her|the) (?:\w+ )?(?:money|identity|account|details|data|cash|purchase|car|{_VALUABLE}))",
            r"(?:^|[.!,;] ?|\b(?:please|pls|kindly|to|you|help|and|just|me|i|immediately|so|quickly|of) )(?:freeze|block|freezing|blocking|lock) (?:my|the|this|that|both|all|it)(?: \w+){0,3}? (?:cards?|accounts?|immediately|asap|now|right away|urgently)\b",
            r"\bcar(?:'s)? (?:\w+ )?(?:crash|accident|(?:was |got |is )(?:damaged|destroyed|hit|totall?ed|wrecked))\b",
            r"\b(?:had|was in|been in|have|in|report|file|involved in)(?: \w+){0,3} (?:an|a|my|the)(?: \w+)? accident\b",
            r"\baccident (?:claim|report|with my|in my|this morning|yesterday|today|last)\b",
            r"\breport(?:ing)? (?:\w+ ){0,2}(?:an? |my )?accident\b",
        ),
        examples=(
            "My card was stolen this morning!",
            "Someone has used my account",
            "I lost my phone with the app on it",
            "I see fraudulent transactions in my account",
            "I don't know where my wallet is",
            "Please block my card immediately",
            "I left my bag in the lobby",
        ),
        counterexamples=(
            "You lost my trust.",
            "My card was not stolen.",
            "I left a review in the app.",
            "Great fraud protection.",
        ),
    ),
    CueRule(
        "legal_or_press_threat",
        0.9,  # 32 of 34 in app reviews and survey remarks, read once, quickly
        stems(
            "lawyer lawyers attorney solicitor solicitors legal legally sue suing court lawsuit ombudsman regulator tribunal "
            "press journalist newspaper newspapers media twitter trustpilot consumer authorities authority police report "
            "reporting bbb public viral claim action ftc fca complaint case fir forum ministry safeguard tv"
        ),
        deniable=(
            r"\b(?:my|our|a|the|contact(?:ing)?|call(?:ing)?|get(?:ting)?|speak(?:ing)? to|consult(?:ing)?) (?:\w+ )?(?:lawyers?|attorneys?|solicitors?)\b(?! who is trying)",
            r"\b(?:legal|court) (?:action|steps|proceedings|advice|case|notice|order)\b(?! (?:protection|cover))",
            r"\b(?:sue|suing) (?:you|them|your|the|this|for|if|[a-z]+ in|[a-z]+$|[a-z]+\.)",
            r"\b(?:see|meet|meat|take|taking|go|going|bring|drag|issue)(?: \w+){0,4} (?:in|to) (?:the |a )?(?:court|(?:consumer|customer|small claims|high|supreme) court|ombudsman|press|media|newspapers?|police|regulator|authorities|tribunal|consumer forum)\b(?! (?:sneaker|shoe))",
            r"\b(?:small claims|class action|lawsuit|ombudsman|trading standards|better business bureau|(?:consumer|customer) (?:court|forum|affairs|commission)|consumer protection (?:agency|board|office|authority)|data protection (?:authority|officer|commissioner))\b",
            r"\b(?:report|reporting|complain|complaint|complaining)(?: \w+){0,5} (?:to|with|in|against)(?: \w+){0,4} (?:regulator|authorit(?:y|ies)|police|bbb|fca|ftc|ombudsman|commission|court|ministry)\b",
            r"\b(?:police (?:complaint|report|case)|(?:lodge|file|filing|register)(?: an?)? (?:fir|case|lawsuit|suit)\b|safeguard my (?:legal )?rights|my legal rights)",
            r"\b(?:journalist|newspapers?|go viral|go public|going public|(?:post|share|tell|put|expose|spread)(?: \w+){0,5} (?:on|all over|across|in) (?:twitter|social media|facebook|instagram|youtube|linkedin|trustpilot|reddit|the media|the press))\b",
        ),
        examples=(
            "You will hear from my lawyer.",
            "I'll take this to the ombudsman",
            "We are going to sue you for this.",
            "I will report you to the regulator",
            "See you in court",
            "I am going to file a police complaint",
        ),
        counterexamples=(
            "I don't want to take legal action.",
            "The press on the door is heavy.",
            "The tennis court shoes fit well.",
        ),
    ),
    CueRule(
        "safety",
        0.75,  # 6 of the only 8 in app reviews and survey remarks; too few to say more
        stems(
            "fire burned burnt burning burn smoke smoking exploded explode explosion injured injury injuries hurt hospital allergic dangerous danger "
            "unsafe shock electric electrocuted poisoning poisoned sick overheat overheated overheating sparks choke choking choked "
            "ambulance bleeding suicide suicidal kill killing safety hazard hazardous emergency contaminated mould mold glass gas harm harmed ill "
            "threatened threatening assaulted attacked harassed harassing life rash melted leaking blood shards end safe kills"
        ),
        deniable=(
            r"\b(?:caught|on|catch(?:es|ing)?|started a|start a|set) fire\b(?! (?:sale|stick|tv|tablet))",
            r"\b(?:explod(?:ed|es|ing|e)|explosion|electrocuted|electric shock|overheat(?:ed|s|ing)|gas leak|sparks? (?:came|fly|flew|coming)|carbon monoxide)\b",
            r"\b(?:burn(?:ed|t|s)?|injured|hurt|cut|harmed|poisoned|choked|scalded) (?:my (?:hand|finger|skin|leg|arm|foot|face|eye|child|son|daughter|baby|kid|wife|husband|mother|dog|mouth|lip|back|head|tongue)\w*|me|her|his|our|him|myself|the child|a child|the baby|someone|badly|by)\b(?! (?:to see|off|out|feelings?|wallet|call))",
            r"\b(?:injury|injuries|was injured|got injured|i injured|been injured|hospitali[sz]ed|in hospital|to (?:the )?hospital|ambulance|bleeding|food poisoning|allergic reaction|anaphyla\w+|contaminated|choking)\b",
            r"\b(?:dangerous|unsafe|(?:safety|fire|health) (?:hazard|risk|issue|concern|problem)s?|hazardous|life[- ]threatening|felt threatened|feel unsafe|not safe to)\b",
            r"\b(?:smoke|smell of burning|burning smell|smoking)\b(?: (?:came|coming|from|out|when|and|smell))",
            r"\b(?:kill(?:ing)? myself|suicid(?:e|al)|end my life|harm(?:ing)? myself|self[- ]harm)\b",
            r"\b(?:made|got|making|feeling|felt) (?:me |us |my \w+ |very |really |seriously )?(?:ill|sick) (?:after|from)\b",
            r"\b(?:threatened|assaulted|attacked|harassed|harassing|stalked) (?:me|us|my|by|her|him)\b",
            r"\b(?:glass|metal|plastic|mou?ld|blood|shards?) (?:\w+ )?in (?:my|the|our) (?:food|meal|drink|salad|soup|bottle|bread)\b",
        ),
        examples=(
            "The charger caught fire next to my bed.",
            "My daughter had an allergic reaction because the label was missing",
            "This is a safety hazard",
            "I got sick after eating it",
            "Your driver threatened me",
        ),
        counterexamples=(
            "Fire the manager.",
            "Nobody was injured.",
            "I am sick of this.",
            "She cut my call.",
        ),
    ),
    CueRule(
        "privacy_discomfort",
        0.85,  # 15 of the only 16 in app reviews
        stems(
            "privacy private personal data tracking track gdpr creepy creeps spying spy listening consent spam spamming selling sell sold "
            "shared share sharing leaked leak unsubscribe stalking photos location permission permissions details know invasive "
            "intrusive uncomfortable comfortable spyware where collect collects stop number address give provide birthday microphone camera"
        ),
        deniable=(
            r"\b(?:privacy (?:concern|issue|violation|breach|problem|nightmare|invasion)s?|(?:loss|lack|breach|violation|invasion|violates?|invades?|concern\w*|worried|intimidating|sneaky|about|my|our) (?:\w+ )?(?:of |about |for )?(?:my |our |the )?privacy|gdpr|ccpa|spyware|data (?:breach|leak|harvest\w*)|leaked (?:my|our|customer))\b",
            r"\b(?:shar(?:e|ed|ing)|sell(?:ing|s)?|sold|leak(?:ed|ing)?|collect(?:ed|ing|s)?|giv(?:e|en|ing)|gave|track(?:ed|ing|s)?|harvest\w*|misus\w+|asks? for|asking for|demand(?:s|ed)?|want|wants|steal(?:ing|s)?)(?: \w+){0,4} (?:my|our|your|personal|private|customer|users?'?) (?:\w+ )?(?:data|personal details|information|info|phone number|e-?mail address|whereabouts)\b(?! (?:is safe|safe|secure))",
            r"\b(?:delete|erase|remove|what|why)(?: \w+){0,6} (?:my|our) (?:personal )?(?:data|personal information|personal details)\b",
            r"\b(?:creepy|gives me the creeps|spying on|stalking me|listening to my|reading my (?:messages|e-?mails)|without (?:my|our|any) (?:consent to|permission to (?:share|use|access|contact))|uncomfortable (?:giving|sharing|that you|with (?:you|sharing|giving|how))|comfortable (?:giving|sharing))\b",
            r"\b(?:share|use|used|using|access|accessed|contact|record|recorded|store|stored|collect|sold)\w*(?: \w+){0,5} without (?:my|our) (?:consent|permission|knowledge)\b",
            r"\b(?:spamm(?:ing|ed)|spam (?:e-?mails?|calls?|texts?|messages?|me)|stop (?:(?:e-?mailing|texting|calling|messaging)(?: me| us)?|sending(?: me| us)?(?: \w+)? (?:e-?mails?|messages?|texts?|spam|newsletters?|notifications?|sms|ads)))\b",
            r"\b(?:why|how) (?:do|does|did|would|should) (?:you|they|it|the app|this app)(?: \w+){0,4} (?:my|access to my) (?:\w+ )?(?:location|contacts|photos|microphone|camera|number|address|birthday|date of birth|id)\b",
            r"\b(?:how|why) (?:do|does|did|could|would) (?:you|they|it|your \w+|the app)(?: even| already)? (?:know|knows|have|get|got|find out|learn) (?:that|about me|where i|what i|who i|when i|my|this about|so much)\b",
            r"\bwhy (?:do|should|must|would) i (?:have to |need to )?(?:give|share|provide|tell|show|hand over)(?: \w+){0,3} (?:my|our) ",
            r"\bknow(?:s)? (?:too|so) much about (?:me|us)\b",
            r"\b(?:invasive|intrusive|invasion of|big brother|being (?:watched|tracked|recorded|monitored))\b",
            r"\bnone of your business\b",
        ),
        examples=(
            "It is creepy how much you know about me.",
            "You shared my phone number with others",
            "Why does the app need my location?",
            "Please delete all my personal data.",
            "How do you know where I live?",
            "How did you get my number?",
        ),
        counterexamples=(
            "I am happy to share my experience.",
            "We had a private room.",
            "You cancelled my order without my consent.",
        ),
    ),
)
