"""Language identification by py3langid: a small model, in process, no network."""

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from heardback_scoring.domain.language import Guess

# Languages in which customers write; rarer ones only draw short English texts to themselves.
LANGUAGES = (
    "ar bg cs da de el en es et fa fi fr he hi hr hu id it ja ko lt lv ms nl no pl pt ro ru sk sl sr sv th "
    "tl tr uk vi zh"
)
_LONGEST = 1000


class Py3langidGuesser:
    """Confidence is a probability over `LANGUAGES`. Reads the first 1 000 characters. Thread-safe."""

    def __init__(self) -> None:
        self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        self._identifier.set_languages(LANGUAGES.split())

    def guess(self, text: str) -> Guess:
        code, confidence = self._identifier.classify(text[:_LONGEST])
        return Guess(code, float(confidence))
