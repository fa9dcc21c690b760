# ruff: noqa: E501  (a pattern is read best on one line)
"""Cues that something does not work: the product, the service, a payment, an account."""

from heardback_scoring.domain.cues import CueRule, stems

_NOT = r"\b(?:not|[a-z]+n't|never|cannot|no longer|stopped|stops|barely|hardly|isnt|doesnt|wont|cant|dont|didnt|wasnt|couldnt|wouldnt)"
_DOING = r"(?:work(?:s|ing|ed)?|load(?:s|ing|ed)?|open(?:s|ing|ed)?|start(?:s|ing)?|connect(?:s|ing)?|respond(?:s|ing)?|turn(?:ing)? on|log(?:ged)?[- ]?(?:in|on)|sign ?in|sign ?up|register|access|update|updating|show(?:ing)?(?: up)?|function(?:ing)?|verif(?:y|ied)|reset|charge|charging|play|scan|accept(?:ing|ed)?|approved|allowed|process(?:ed|ing)?|successful|responsive|sync(?:ing)?|download(?:ing)?|install(?:ing)?|send(?:ing)?|print(?:ing)?|record(?:ing)?|display(?:ing)?|complete[ds]?|go(?:ne|ing|es)? through|possible to (?:pay|log|use|open|transfer|send))"
_UNABLE = r"\b(?:can't|cannot|can not|cant|couldn't|could not|couldnt|unable to|not able to|wasn't able to|weren't able to|isn't able to|won't be able to|not allowed to|wasn't allowed to|no way to|impossible to)"
_ACTION = r"(?:use|pay|log|login|sign|register|access|open|send|transfer|make (?:a |an |any |my |the |this |it |multiple )?(?:purchases?|payments?|transfers?|transactions?|work)|withdraw|download|update|upload|install|connect|enter|proceed|check ?out|complete|get (?:in|into|on|online|past|through|cash|money|(?:my|the|it|this|that) (?:\w+ ){0,4}(?:to )?work)|take (?:out )?(?:cash|money)|add (?:a|my|items?|to)|do a transfer|verify|prove my)"
_THING = r"(?:app|application|website|site|page|card|login|log-?in|password|passcode|pin|account|software|phone|device|system|registration|sign-?up|connection|internet|wi-?fi|server|machine|contactless|checkout|verification|update|top-?up)"

FAULTS: tuple[CueRule, ...] = (
    CueRule(
        "not_working",
        0.85,  # 0.87 of 1787 in the train split of intents, 0.87 of 252 in dev
        stems(
            "not can't cant cannot won't wont don't dont doesn't doesnt didn't didnt isn't isnt couldn't couldnt could never "
            "longer stopped stops barely hardly unable trouble problem issue difficulty failed fails aren't wasn't wasnt weren't "
            "hasn't hadn't wouldn't wouldnt shouldn't impossible way why"
        ),
        also=stems(
            "work load loading open start connect respond turn turning log login logging logged sign signing register registration "
            "access update updating show showing function verify reset charge charging play scan accept approved allowed allow "
            "process successful responsive sync download install send print record display complete go gone going goes possible "
            "use pay transfer make withdraw upload enter proceed check get take add do prove let letting cash money try top "
            "topping give return gave dispense think believe recognise recognize"
        ),
        patterns=(
            rf"{_NOT}(?: \w+){{0,2}} {_DOING}\b(?! (?:for (?:this|that|your) company|from home|with you again))",
            rf"\b(?:why|[a-z]+n't)(?: \w+){{0,5}} (?:isn't|wasn't|wouldn't|won't|doesn't|didn't|not)(?: \w+){{0,4}} {_DOING}\b",
            r"\bwhy (?:isn't|wasn't|wouldn't|won't|doesn't|didn't|aren't|hasn't)(?: \w+){1,5} (?:work|go through|gone through|accepted|processed|verified|approved|allowed|loading|opening|let)\b",
            rf"{_UNABLE}(?: \w+){{0,2}} {_ACTION}\b",
            r"\bwhy (?:can't|cannot|can|couldn't|am|was) i (?:not )?(?:not |unable to |allowed to |able to )?(?:use|pay|make|do|send|transfer|withdraw|get (?:cash|money)|log|open|access)\b(?! (?:an? )?(?:new|more))",
            r"\b(?:wo?n't|doesn't|does not|didn't|did not|will not|wouldn't|not) (?:let|allow|letting|allowing)\b",
            r"\b(?:unable|can't|cannot|couldn't|could not|trouble|problems?|issues?|difficulty|failed|fails?)(?: \w+){0,3} (?:log(?:ging)?[- ]?in|login|sign(?:ing)?[- ]?(?:in|up)|register(?:ing)?|registration|connect\w*|access\w*|open\w*|pay|load\w*|verify\w*|proving|updat\w+|transfer\w*|top(?:ping)?[- ]?up|withdraw\w*)\b",
            r"\b(?:don't|didn't|doesn't|not)(?: \w+){1,6} worked\b",
            r"\b(?:machine|atm|card|it|money)(?: \w+)? (?:didn't|did not|won't|wouldn't|doesn't|not|never) (?:give|return|gave|dispense)(?: \w+){0,3} (?:card|cash|money|back)\b",
            r"\b(?:doesn't|does not|didn't|don't) (?:think|believe|recogni[sz]e) (?:it's|its|it is|i am|i'm|that i|that it|me)\b",
        ),
    ),
    CueRule(
        "not_working",
        0.85,  # 0.87 of 1787 in the train split of intents, 0.87 of 252 in dev
        stems(
            "broken broke crash crashes freeze freezes freezing frozen froze glitch bug bugs buggy faulty defective malfunction "
            "unusable unresponsive error errors dead swallowed outage down offline order stuck declined rejected denied reverted "
            "blocked unblock locked unlock failing failed fail fails disconnected unavailable disconnecting "
            "wrong declining decline reject deny problem problems issue issues trouble cancelled canceled refused "
            "ate trapped keeps lags laggy fix repair nonfunctional non-functional non unsuccessful avail kicks kicked slow retained "
            "wifi internet wi-fi broadband signal network connection difficulty exhausted pin passcode password registration"
        ),
        deniable=(
            r"\b(?:broken (?!promis|english|into|heart)|broken\b[^ \w]|broken$|broke(?: down| again|n down)|crash(?:es|ing)\b|(?:app|it|site|website|always|constantly|keeps?|game|system|just|page|phone|screen|program|server|and|then) (?:has |have |had )?crash(?:ed)?\b|(?:had|have|another|a) crash(?:es)?\b|glitch(?:y|es|ed|ing)?|bug(?:s|gy)?\b|faulty|defective|malfunction\w*|unusable|unresponsive|non-?functional|went dead|swallowed|outage|out of service)",
            r"\b(?:freez(?:es|ing)|froze|frozen|freeze)\b(?! (?:\w+ ){0,3}(?:card|account|it|immediately)s?)(?:[.,!? ]+(?:up|and|all|every|when|while|on|for|after|the|at|during|or|then|again|constantly|often|sometimes|a lot|so|but|then)\b|[.,!?]|$)",
            r"\berrors?\b(?! (?:\w+ ){0,5}(?:bill|charges?|statement|invoice|payment i))",
            r"\b(?:is|are|was|were|been|went|got|getting|keeps?|kept|being|i'm|it's|always|again) (?:not |\w+ )?(?:down|offline|stuck|declined|rejected|denied|refused|reverted|locked(?: out)?|failing|disconnect(?:ed|ing)|unavailable|dead|out of order)\b(?! (?:to earth|right|easy))",
            r"\b(?:account|pin|phone|app|passcode|password|number|sim|user|login)(?: has| have)? (?:is|are|was|were|been|got|getting|being) (?:\w+ )?blocked\b",
            r"\b(?:payment|transfer|transaction|top[- ]?up|withdrawal|card|login|log in|verification|update|installation|order|purchase|delivery|deposit|refund|beneficiary|download|upload)s?(?: \w+){0,3} (?:failed|fail|fails|failing|declined|rejected|denied|reverted|refused|unsuccessful)\b",
            r"\b(?:transfer|transaction|top[- ]?up|withdrawal|deposit|payment)s?(?: \w+){0,2} (?:was|is|been|got|were) cancell?ed\b(?! by me)",
            r"\b(?:something|what|anything|everything|gone|going|goes|went)(?: is|'s| has| seems| was)?(?: \w+)?(?: went| gone| going)? wrong\b",
            r"\bfail(?:s|ed|ing)? (?:to|again|every|at|on|when|message)\b",
            r"\b(?:declin|reject)(?:e|ed|es|ing)\b(?! (?:the|your|my|our) (?:offer|call))",
            r"\b(?:deny|denies|refuses?|refused) (?:my|the|to (?:work|load|open|start|connect|accept|let))\b",
            rf"\b(?:problem|issue|trouble|difficult(?:y|ie)|error|bug)s? (?:with|in|using|of|regarding|on|about|to) (?:my|the|your|our|this|a )? ?(?:\w+ ){{0,2}}{_THING}\b(?! bill)",
            rf"\b{_THING}s? (?:\w+ )?(?:problem|issue|trouble|error|difficultie)s?\b",
            r"\bkeeps? (?:on )?(?:\w+ )?(?:crashing|loading|buffering|logging|kicking|signing|saying|telling|showing|giving|timing|closing|going (?:down|off|back)|disconnecting|failing|dropping|coming up|popping|freezing|asking|restarting|changing back)\b",
            r"\b(?:lagg?(?:y|ing)|lags)\b",
            r"\b(?:wi-?fi|internet|connection|signal|network|broadband)(?: \w+){0,3} (?:slow|bad|down|weak|terrible|poor|drops?|dropping|unstable|dead|awful)\b",
            r"\bfailed\b(?! (?:me|us)\b)",
            r"\b(?:pin|password|passcode|code)(?: \w+){0,6} (?:too many|wrong (?:\w+ )?times|tries|attempts)\b",
            r"\b(?:having|facing|face|got|have|has|had|with) (?:a |an |some |many |any |lots of |so many |the |constant )?(?:\w+ )?(?:problem|issue|trouble)s? (?:with|in) (?!(?:\w+ ){0,4}(?:bill|billing|charges?|payments?|invoices?|refunds?|deliver\w+|orders?|drivers?|staff|account|agents?|service|price|policy))",
            r"\bkicks (?:me|you) (?:out|off)\b",
        ),
        examples=(
            "The app crashes every time I open it.",
            "My card doesn’t work",
            "I cannot log in since the update",
            "The site is down again.",
            "Why wouldn't my transfer go through?",
            "The machine ate my card",
            "How do I get the printer to work?",
            "I am locked out of my account",
            "Please fix this bug",
            "It keeps logging me out",
            "Registration problems",
        ),
        counterexamples=(
            "It works perfectly.",
            "I have never had a crash.",
            "Please freeze my card at once.",
            "They fixed my phone in an hour.",
            "There is an error in my credit card bill.",
        ),
    ),
    CueRule(
        "not_working",
        0.85,  # as above
        stems(
            "work fix fixing fixed repair repairs repaired atm ate swallowed retained card avail unblock unlock locked kicked blocked logged thrown booted"
        ),
        patterns=(
            r"\b(?:get|make|getting|making|got)(?: [\w-]+){1,5} (?:to )?work\b(?! (?:on|with|at|for|from|time|done|hard|out|today|tomorrow))",
            r"\b(?:how|can|could|please|must|need to|needs to|should|pls|trying to|try to|to|ever|kindly|just|and|not|never) (?:do |can |should |you |i |we |they |would )*(?:fix|repair)(?: (?:it|this|that|the|my|your|these|those|bugs?|asap|now|please|soon|up)\b|[.!?])",
            r"\b(?:needs? (?:fixing|repair(?:ing|s)?|to be (?:fixed|repaired))|be fixed|get it fixed)\b",
            r"\b(?:atm|machine|it)(?: \w+)? (?:ate|swallowed|kept|keeps|retained|took) (?:up )?my card\b",
            r"\bcard(?: \w+){0,2} (?:stuck|trapped|eaten|retained|swallowed)\b",
            r"\bmy card (?:back )?out of\b",
            r"\bto no avail\b",
            r"\bun(?:block|lock)(?:ing|ed)? (?:my|the|it|me|our|account|pin|card)\b",
            r"\b(?:i|i'm|i am|got|am|been|was|me|we|myself) (?:\w+ )?(?:locked|kicked|blocked|logged|thrown|booted) (?:\w+ )?(?:out|off|from)\b",
        ),
    ),
)
