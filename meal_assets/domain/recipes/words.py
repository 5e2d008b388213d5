"""Words as people mean them: without case, accents and the plural s."""

import re
import unicodedata
from functools import lru_cache

_TOKEN = re.compile(r"[^\W_]+")
_SPACELESS = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]")


class _WithoutAccents(dict[int, int | None]):
    """Code point -> itself, None for an accent; each is looked up once."""

    def __missing__(self, code: int) -> int | None:
        self[code] = None if unicodedata.combining(chr(code)) else code
        return self[code]


_WITHOUT_ACCENTS = _WithoutAccents()


def fold(text: str) -> str:
    """Casefolded and without accents: `Crème BRÛLÉE` -> `creme brulee`."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKD", text.casefold()).translate(_WITHOUT_ACCENTS)


def words(text: str) -> list[str]:
    """The folded words of a text, in order."""
    return _TOKEN.findall(fold(text))


@lru_cache(maxsize=8192)
def singulars(word: str) -> frozenset[str]:
    """A folded word and what it may be the English plural of: `berries` -> {berries, berrie, berry}."""
    found = {word}
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        found.add(word[:-1])
        if word.endswith("ies"):
            found.add(word[:-3] + "y")
        if word.endswith("ves"):
            found |= {word[:-3] + "f", word[:-3] + "fe"}
        if word.endswith(("ses", "xes", "zes", "ches", "shes", "oes")):
            found.add(word[:-2])
    return frozenset(found)


def has_no_spaces(text: str) -> bool:
    """Whether it is in a script that sets none between words."""
    return _SPACELESS.search(text) is not None


def contains(text: str, phrase: str) -> bool:
    """Whether the words of a phrase stand in a text one after the other, each in singular or plural.

    Chinese, Japanese, Lao and Thai set no spaces: there, a word is found anywhere.
    """
    if has_no_spaces(phrase):
        return fold(phrase).strip() in fold(text)
    wanted = [singulars(w) for w in words(phrase)]
    found = [singulars(w) for w in words(text)]
    return bool(wanted) and any(
        all(not w.isdisjoint(f) for w, f in zip(wanted, found[start:], strict=False))
        for start in range(len(found) - len(wanted) + 1)
    )
