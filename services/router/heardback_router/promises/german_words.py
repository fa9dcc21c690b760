"""German words by which a promise is known, all in lower case. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verb:
    """`needs`: one of these stands in the clause, or begins the verb; none: the verb alone says it."""

    stem: str
    needs: tuple[str, ...]


def _verbs(table: str) -> Mapping[str, Verb]:
    split = (entry.partition("+") for entry in table.split())
    found = (Verb(stem, tuple(needs.split("/")) if needs else ()) for stem, _, needs in split)
    return {verb.stem: verb for verb in found}


def _words(table: str) -> frozenset[str]:
    return frozenset(table.split())


LATER = _verbs(
    """schick send erstatt ersetz überweis vergüt entschädig erlass übernehm stornier kündig veranlass
    beheb lös liefer reparier informier benachrichtig verrechn bestätig mail kontaktier verlänger
    korrigier berichtig zahl besorg organisier antwort meld+mich/uns/sich kümmer sorg+dafür
    geb+bescheid halt+laufenden lass+zukommen/wissen/anrufen bring+ordnung komm+sie/dich schreib+gut
    hol+ab tausch+aus/um nehm+zurück buch+zurück richt+ein ruf+zurück stell+zu/wieder erledig
    reich+nach teil+mit unterricht zieh+ab schalt+frei steh+tür führ+durch setz+verbindung seh+zu
    pass+an änder entfern regel trag bleib+dran leg+post sag+bescheid"""
)
"""By stem: what one does later when one says so, with after + what belongs to it."""
THIRD_PERSON = {
    "übernimmt": "übernehm",
    "gibt": "geb",
    "hält": "halt",
    "lässt": "lass",
    "erlässt": "erlass",
    "nimmt": "nehm",
}
ENDINGS: Mapping[str, tuple[str, ...]] = {"ich": ("e",), "wir": ("en", "n"), "other": ("t", "et", "en", "n")}
NEVER_KEPT = _words(
    """bin sind ist bist habe haben hat brauche brauchen braucht freue freuen stehen stehe steht empfehle
    empfehlen bitte bitten bedaure bedauern hoffe hoffen hofft danke danken dankt wünsche wünschen
    glaube glauben denke denken verstehe verstehen arbeiten arbeitet liegen liegt finde finden kenne
    kennen wissen weiß heißen sehe sehen gehören gehört kosten kostet dauern dauert rechnen rechnet
    meinen meint sagen sagt fragen uns ihnen ihn wenn den dann schon gerne heute morgen beide alle
    diese keine eine seine ihre unsere werden werde wird ihren unseren wegen neben gegen oben unten
    drei zwei leider erreichbar öffnet schließt kommen gingen kamen schrieben riefen fanden gaben
    nahmen hielten ließen brachten erhielten bekamen sprachen boten sahen standen zogen trafen
    hatten waren wurden helfe helfen verbinde verbinden entschuldigen entschuldige lege möchte"""
)
"""What may stand where the verb stands and promises nothing: states, courtesies, forms of the past."""
MAY_BE_NOW = _words("rufe rufen schreibe schreiben prüfe prüfen frage leite")
YOU = _words("ihnen dir sie dich")
WE = _words("ich wir")
WILL = _words("werde werden wird wirst")
RELATIVE = _words("der die das welche welcher")

PAST = re.compile(
    r"(?!.*(?:arbeit|antwort|richt|stat|leit|hal|bie|wart|acht|rat|tret|tracht|gestalt)e?n?$)\w+ten?"
)
INFINITIVE = re.compile(r"\w{2,}(?:en|ern|eln)")
PERSON = re.compile(
    r"(?:kolleg(?:e|en|in|innen)|mitarbeiter(?:in|innen)?|techniker(?:in)?|monteur(?:in)?|kurier|fahrer(?:in)?"
    r"|manager(?:in)?|vorgesetzter?|chef(?:in)?|\w*leiter(?:in)?|spezialist(?:en|in)?|expert(?:e|en|in)"
    r"|\w*berater(?:in)?|ansprechpartner(?:in)?|\w*team|\w*abteilung|buchhaltung|lager|werkstatt|technik"
    r"|\w*dienst|\w*service|support|bote|man|installateur(?:in)?|handwerker(?:in)?|jemand)"
)
DONE = re.compile(
    r"\w*(?:schickt|sendet|sandt|stattet|setzt|wiesen|gütet|erlassen|nommen|storniert|kündigt|anlasst|hoben|löst"
    r"|liefert|repariert|informiert|nachrichtigt|rechnet|stätigt|kontaktiert|gerufen|gutgeschrieben|holt"
    r"|getauscht|gebucht|gerichtet|gestellt|prüft|klärt|gebaut|rigiert|berichtigt|gezahlt|bezahlt|längert"
    r"|bearbeitet|ledigt|fernt|ändert|gemacht|gepasst|geschaltet|richtet|gezogen|geführt|geteilt)"
)
PARTICIPLE = re.compile(r"(?:\w*ge|ent|ver|be|er|zer)\w{2,}(?:t|en)")

NO = re.compile(
    r"\b(?:nicht|nie|niemals|kein\w*|niemand\w*|nichts|kaum|vielleicht|eventuell|womöglich|normalerweise"
    r"|gewöhnlich|üblicherweise|in der regel|meistens?)\b"
)
WAS = re.compile(r"\b(?:wurden?|war|waren|worden)\b")
MODAL = re.compile(
    r"\b(?:kann|können|könnten?|möchten?|wollen|will|müssen|muss|sollen?|dürfen|darf|würden?|hätten?|wären?"
    r"|wurden?|war|waren|worden)\b"
)
HABIT = re.compile(r"\b(?:jede[mnrs]?|immer|täglich|wöchentlich|monatlich|jährlich|stets)\b")
AT_ONCE = re.compile(
    r"\b(?:gerade|kurz|rasch|schnell|gleich(?! (?:nach|morgen|heute))|einen moment|einen augenblick"
    r"|(?:hier|da)mit|mit dies\w+|(?<!ab )jetzt)\b"
)
SWORN = re.compile(r"\b(?:versprech\w*|garantier\w*|versicher(?:e|n)|zusicher\w*|sichere \w+ zu)\b")
REPORTED = re.compile(
    r"\b(?:gesagt|sagten?|hieß|meinten?|glauben?|denken?|dachten?|hoffen?|verstehen?|gefragt|behaupt\w*"
    r"|nicht wissen)\b"
)
SUBORDINATE = re.compile(
    r"^\s*(?:und |aber |oder )?(?:dass|ob|weil|wenn|falls|obwohl|nachdem|damit|sobald|als|wie|was|wann|wo"
    r"|warum|wer|bis (?:er|sie|es|ich|wir|das|die|der))\b"
)
YOU_GET = re.compile(
    r"\b(?:sie (?:erhalten|bekommen|hören|kriegen)|(?:erhalten|bekommen|hören|kriegen) sie"
    r"|du (?:erhältst|bekommst|hörst|kriegst)|(?:erhältst|bekommst|hörst|kriegst) du"
    r"|sie werden .*\b(?:erhalten|bekommen|hören))\b"
)
ARRIVES = re.compile(
    r"\b(?:ist|sind|sollten?)\b.*\b(?:bei (?:ihnen|dir)|(?<!für sie )da|behoben|erledigt|fertig|gelöst"
    r"|repariert|konto|frei|laufen|funktionieren|gehen)\b|\bhaben sie\b|\brechnen\b"
    r"|\bgeht\b.*\b(?:raus|zu)\b|\btrifft\b.*\bein\b|\bkommt\b.*\ban\b"
)
WILL_BE = re.compile(r"\bwird\b.*\b(?:karte|konto|bei (?:ihnen|dir)|da|fertig) sein\b")
CONCERN = re.compile(r"\bsorg\w* .*\bdafür\b|\bkümmer\w* .*\bdarum\b")
