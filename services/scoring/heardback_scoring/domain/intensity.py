# ruff: noqa: E501  (a pattern is read best on one line)
"""How strongly something is put, whether something is wished for, and what it has led to, by word lists.

A model's sentiment is nearly as sure of "a bit late" as of "an utter disgrace"; the words tell them apart.
"""

import re
from collections.abc import Sequence

from heardback_scoring.domain.words import Text

_STRONG = re.compile(
    r"\b(?:absolute(?:ly)?|utter(?:ly)?|complete(?:ly)?|total(?:ly)?|extremely|incredibly|beyond"
    r"|so (?:angry|upset|bad|rude)|furious|livid|fuming|outrag\w+|disgust\w+|disgrac\w+|appall\w+|atrocious"
    r"|horrendous|horrific|horrible|terrible|awful|dreadful|unacceptable|inexcusable|unforgivable|unbelievable"
    r"|ridiculous|pathetic|shameful|shambles|nightmare|scandal\w*|worst|hate|despise|worthless|useless"
    r"|infuriat\w+|never (?:ever|again)|fed up|sick of|enough is enough"
    r"|fuck\w*|shit\w*|bloody|bullshit|crap|wtf|hell|damn\w*)\b"
)
_MILD = re.compile(
    r"\b(?:a (?:bit|little|tad|touch)|slight(?:ly)?|somewhat|minor|(?:small|tiny|little)(?! (?:child|kid|baby|babies|boy|girl|busi|compan|team|shop|firm|claims|fire|dog))|mildly"
    r"|little (?:thing|issue|niggle)|not (?:a )?(?:big|huge|major) (?:deal|issue|problem)"
    r"|no (?:big deal|rush|hurry|worries|drama)|not urgent|not the end of the world"
    r"|could be (?:better|nicer)|would be nice|just (?:a|one) (?:thought|note|suggestion)"
    r"|only (?:complaint|criticism|wish|thing)|nothing (?:serious|dramatic|major)"
    r"|when (?:you|someone) (?:get|has|have) (?:a )?(?:chance|moment)"
    r"|cosmetic(?:ally)?|typos?|spelling|misspell\w*|fonts?|layout|logo|icons?|dark mode|colou?r(?:s| scheme)?"
    r"|shade of|hold music|squeak\w*|nitpick\w*|lol|haha\w*|hilarious|rather (?!than)|a few too|otherwise (?:fine|okay?|happy|good|great|satisfied)|still (?:fine|okay?)|contents (?:okay?|fine)|i can live with|i'll live|never ?mind|not (?:that|too) bad)(?!\w)"
)
_CONSEQUENCE = re.compile(
    r"\b(?:(?:(?:nobody|no one|none of (?:us|our \w+))(?: \w+){0,4} (?:can|could|able to)"
    r"|(?:we|my team|our team|(?:our |my )?(?:staff|employees|drivers|customers|users|people|agents))(?: \w+){0,2} (?:cannot|can't|can not|couldn't|could not|unable to|not able to))"
    r"(?: \w+)? (?:work|trade|operate|log in|sell|ship|invoice|serve|dispatch|deliver|take (?:orders|payments|bookings|calls)|pay (?:our|their|the|salaries|suppliers))"
    r"|(?:can't|cannot|can not|could not|couldn't|unable to) pay (?:my|our) (?:\w+ )?(?:rent|bills?|mortgage|staff|employees|people|suppliers)"
    r"|(?:whole|entire|all (?:of )?our|all (?:of )?my|every one of our|\d+ of our) (?:\w+ ){0,3}(?:teams?|company|office|department|sites?|stores?|shops?|branches"
    r"|warehouses?|business|users|employees|locations|restaurants|clinics|plants?|lines?|tills|agents|factory)\b[^.!?]{0,30}"
    r"\b(?:down|blocked|stuck|idle|stopped|stands? still|standing still|offline|waiting|cannot|can't|without|affected|unable)"
    r"|(?:losing|lost|loses|lose|cost(?:s|ing)? (?:us|me)|cost)(?: \w+){0,4} (?:orders|sales|revenue|customers|clients|bookings|thousands|turnover"
    r"|(?:an|per|every|each|a) (?:hour|minute|day)|deal|deals|contract with|job|patients|wages|pay)"
    r"|(?:production|business|operations?|work|trading|the line|the plant|the warehouse|shipping|dispatch) (?:line )?(?:is|has|have|are|was|came|at)?(?: \w+)? ?(?:standstill|stopped|halted|down|idle|ground to)"
    r"|standstill|(?:total|complete|major|full|nationwide) (?:\w+ )?(?:outage|blackout|failure)"
    r"|(?:checkout|payment system|tills?|webshop|web shop|online shop|payroll|phone system|erp|pos|whole system|production|switchboard|booking system) (?:\w+ )?(?:is|are|has been|have been|was|were|went) (?:\w+ )?(?:down|offline|unavailable|dead)"
    r"|(?:had|have|forced|need(?:ed)?) to (?:close (?:the |our )?(?:shops?|stores?|office|branch|clinic|site)|send (?:\w+ ){1,3}home|shut (?:down|the)|throw (?:away|out)|turn (?:\w+ )?away|cancel (?:our|my) (?:wedding|holiday|operation|surgery|event|trip)|sleep (?:on|at|in)|borrow|take (?:another|a|two|three) (?:\w+ )?(?:days? off|day of leave))"
    r"|(?:missed|miss|missing) (?:my|our|her|his|the|a) (?:\w+ )?(?:wedding|funeral|flight|exam|interview|surgery|operation|connection|connecting flight|cruise|deadline|payroll|treatment|birthday|christmas|filing|audit)"
    r"|stranded|sle(?:pt|ep) (?:on|at) the (?:floor|airport|station)|(?:late|overdraft|penalty|reminder|bounced) fees?|penalt(?:y|ies)"
    r"|(?:took|taken|take|taking|lost) (?:another|a|two|three|several|\d+) (?:whole |full |unpaid )?(?:days?|half day)s? (?:off|of (?:work|leave|pay|production))"
    r"|go(?:ing)? (?:bankrupt|out of business)|out of business|credit (?:score|rating)|evict(?:ed|ion)|peak season|black friday)\b"
)
_WISH = re.compile(
    r"\b(?:would be (?:nice|good|great|lovely|better|helpful|perfect)|could be (?:a (?:bit|little) )?\w+er"
    r"|could \w+ a (?:bit|little)|i wish|we wish(?! you)|my only|our only"
    r"|only (?:wish|thing|complaint|criticism)"
    r"|(?:could|can|may) (?:i|we) (?:wish|suggest)|if (?:i|we) could (?:wish|change)|would (?:\w+ )?prefer"
    r"|would (?:\w+ )?(?:help|like|love) (?:us|me|to (?:see|have)|it if)|next time"
    r"|one (?:small|tiny|little|minor)|a (?:small|tiny|little|minor) (?:wish|suggestion|thing|remark|request)"
    r"|please add|suggest(?:ion)?|room for improvement"
    r"|hope (?:you|to see)|looking forward to (?:seeing )?(?:more|a))\b"
)
_SHOUTED = re.compile(r"\b[A-Z]{4,}\b")
_EXCLAIMED = re.compile(r"!{2,}|[?!]*(?:\?!|!\?)[?!]*")
_STEP = 0.5


def intensity_of(text: Text) -> float:
    """From −1, played down, to 1, put as strongly as can be; 0 where nothing shows.

    Each strong word or phrase, up to two words in capitals as one, and repeated exclamation marks add a
    half, each mild one takes off a half. Capitals say nothing in a text that is all capitals or a headline
    of one word.
    """
    low = text.low
    signs = len(_STRONG.findall(low)) - len(_MILD.findall(low))
    signs += bool(_EXCLAIMED.search(low))
    if not text.original.isupper():
        signs += len(_SHOUTED.findall(text.original)) >= 2
    return max(-1.0, min(1.0, signs * _STEP))


def wishes(text: Text) -> bool:
    """Whether something is wished for or suggested; tells praise with a wish from plain praise."""
    return _WISH.search(text.low) is not None


def tells_consequence(text: Text) -> bool:
    """Whether the text tells what it has led to: work at a standstill, sales lost, a flight missed."""
    return _CONSEQUENCE.search(text.low) is not None


def strongest(texts: Sequence[Text]) -> float:
    """The intensity of the text that is put most strongly; 0 without texts."""
    return max(map(intensity_of, texts), default=0.0)
