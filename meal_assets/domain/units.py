"""What units of recipes are worth: masses in grams, volumes in millilitres, pieces; any other word stays its own.

Avoirdupois masses and US customary volumes, exact by definition (NIST Handbook 44, appendix C). No library of all
units: one reads a bag as 94 pounds of cement, "t" as a tonne, and "9**9**9" for ever.
"""

PIECE = "piece"
AS_WRITTEN = "× as written"
"""The unit of a line that only its author's words describe: the quantity is how many times the line is needed."""

MASSES_G = {
    "mg": 0.001,
    **dict.fromkeys(("g", "gr", "gram", "grams", "gramme", "grammes", "gramm"), 1.0),
    **dict.fromkeys(("kg", "kilo", "kilos", "kilogram", "kilograms", "kilogramm"), 1000.0),
    **dict.fromkeys(("oz", "ozs", "ounce", "ounces"), 28.349523125),
    **dict.fromkeys(("lb", "lbs", "pound", "pounds"), 453.59237),
}
VOLUMES_ML = {
    **dict.fromkeys(("ml", "cc", "milliliter", "milliliters", "millilitre", "millilitres"), 1.0),
    **dict.fromkeys(("cl", "centiliter", "centiliters", "centilitre", "centilitres"), 10.0),
    **dict.fromkeys(("dl", "deciliter", "deciliters", "decilitre", "decilitres"), 100.0),
    **dict.fromkeys(("l", "liter", "liters", "litre", "litres"), 1000.0),
    **dict.fromkeys(("tsp", "tsps", "teaspoon", "teaspoons", "tl"), 4.92892159375),
    **dict.fromkeys(("tbsp", "tbsps", "tbs", "tablespoon", "tablespoons", "el"), 14.78676478125),
    **dict.fromkeys(("fl oz", "floz", "fluid ounce", "fluid ounces"), 29.5735295625),
    **dict.fromkeys(("cup", "cups"), 236.5882365),
    **dict.fromkeys(("pt", "pint", "pints"), 473.176473),
    **dict.fromkeys(("qt", "quart", "quarts"), 946.352946),
    **dict.fromkeys(("gal", "gallon", "gallons"), 3785.411784),
}
PIECES = {"", PIECE, "pieces", "pc", "pcs", "whole"}


def plain_unit(unit: str) -> str:
    """The unit in lower case, without full stops and with single spaces: `Fl. Oz.` -> `fl oz`."""
    return " ".join(unit.replace(".", " ").casefold().split())


def in_base(unit: str) -> tuple[float, str]:
    """How many grams ("g"), millilitres ("ml"), pieces ("piece") or of itself one of this unit is."""
    word = plain_unit(unit)
    if word in PIECES:
        return 1.0, PIECE
    if word in MASSES_G:
        return MASSES_G[word], "g"
    if word in VOLUMES_ML:
        return VOLUMES_ML[word], "ml"
    return 1.0, word
