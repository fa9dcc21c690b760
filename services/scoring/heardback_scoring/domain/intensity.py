"""How strongly something is put, and whether something is wished for, by word lists and signs of emphasis.

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
    r"\b(?:a (?:bit|little|tad|touch)|slight(?:ly)?|somewhat|minor|small|tiny|mildly"
    r"|little (?:thing|issue|niggle)|not (?:a )?(?:big|huge|major) (?:deal|issue|problem)"
    r"|no (?:big deal|rush|hurry|worries|drama)|not urgent|not the end of the world"
    r"|could be (?:better|nicer)|would be nice|just (?:a|one) (?:thought|note|suggestion)"
    r"|only (?:complaint|criticism|wish|thing)|nothing (?:serious|dramatic|major)"
    r"|when (?:you|someone) (?:get|has|have) (?:a )?(?:chance|moment))\b"
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


def strongest(texts: Sequence[Text]) -> float:
    """The intensity of the text that is put most strongly; 0 without texts."""
    return max(map(intensity_of, texts), default=0.0)
