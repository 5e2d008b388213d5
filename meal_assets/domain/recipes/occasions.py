"""What dishes are called, by the meals they suit, in English and the languages recipes have come in."""

from meal_assets.contracts.values import Meal

MAIN: frozenset[Meal] = frozenset({"lunch", "dinner"})

OCCASIONS: tuple[tuple[frozenset[Meal], str], ...] = (
    (
        frozenset({"breakfast"}),
        "breakfast, brunch, pancake, waffle, oatmeal, porridge, granola, muesli, overnight oats, french "
        "toast, crepe, frittata, omelette, omelet, shakshuka, frühstück, ontbijt, frukost, morgenmad, petit "
        "déjeuner, café da manhã, desayuno, colazione, reggeli, pfannkuchen, pannenkoek, pannkaka, pandekage, "
        "crêpe, 朝ごはん, 朝食",
    ),
    (
        frozenset({"breakfast", "snack"}),
        "smoothie, muffin, scone, croissant, bagel, cinnamon roll, breakfast bar, quick bread, banana bread",
    ),
    (
        frozenset({"snack"}),
        "snack, appetizer, appetiser, starter, finger food, dip, hors d'oeuvre, canapé, tapas, guacamole, "
        "hummus, dessert, sweet, cookie, biscuit, cake, cupcake, cheesecake, shortcake, brownie, blondie, "
        "bar, pie, tart, cobbler, crumble, trifle, tiramisu, pudding, custard, mousse, ice cream, sorbet, "
        "gelato, popsicle, candy, fudge, truffle, brittle, donut, doughnut, pastry, baklava, strudel, bread, "
        "sourdough, bun, roll, cracker, tortilla, loaf, drink, beverage, cocktail, mocktail, cocoa, lemonade, "
        "iced tea, iced coffee, milkshake, vorspeise, nachtisch, nachspeise, kuchen, gebäck, plätzchen, "
        "backen, brot, getränk, zwischenmahlzeit, voorgerecht, nagerecht, toetje, tussendoortje, borrelhapje, "
        "gebak, taart, koek, brood, drank, förrätt, efterrätt, mellanmål, fika, bakverk, kaka, kakor, bröd, "
        "dryck, entremets, apéritif, amuse bouche, goûter, gâteau, boisson, pâtisserie, sobremesa, lanche, "
        "entrada, bolo, bebida, petisco, aperitivo, postre, merienda, galleta, tarta, dolce, dolci, "
        "antipasto, antipasti, spuntino, biscotti, torta, bevanda, bevande, forret, desserter, kage, kager, "
        "boller, brød, drikke, mellemmåltid, desszert, sütemény, előétel, デザート, お菓子, スイーツ, おやつ",
    ),
    (
        MAIN,
        "main, main course, main dish, dinner, lunch, supper, entree, entrée, soup, stew, chowder, chili, "
        "salad, sandwich, burger, pizza, pasta, noodle, lasagna, spaghetti, carbonara, shepherds pie, cottage "
        "pie, pot pie, meat pie, meatloaf, risotto, curry, casserole, stir fry, taco, burrito, quesadilla, "
        "fajita, enchilada, bowl, large plate, chicken, turkey, duck, beef, pork, lamb, meat, poultry, steak, "
        "fish, salmon, shrimp, seafood, tofu, lentil, hauptgericht, hauptgerichte, hauptspeise, hauptgang, "
        "hauptgänge, mittagessen, abendessen, suppe, eintopf, salat, auflauf, fleisch, fisch, hoofdgerecht, "
        "hoofdgerechten, middageten, avondeten, diner, ovenschotel, soep, salade, stamppot, huvudrätt, "
        "middag, gryta, soppa, sallad, plat, plat principal, déjeuner, dîner, soupe, potage, viande, poisson, "
        "prato principal, almoço, jantar, sopa, salada, carne, aves, peixe, massa, plato principal, almuerzo, "
        "comida, cena, ensalada, pescado, pollo, pranzo, primo, primi, secondo, secondi, zuppa, insalata, "
        "hovedret, hovedretter, frokost, aftensmad, gryderet, ebéd, vacsora, főétel, leves, 昼ごはん, 昼食, 夕食, "
        "晩ごはん, 主菜, スープ, サラダ",
    ),
    (
        frozenset({"lunch"}),
        "side, side dish, stuffing, mashed potato, fries, beilage, bijgerecht, tillbehör, accompagnement, "
        "garniture, acompanhamento, guarnición, contorno, contorni, tilbehør, köret, 副菜",
    ),
    (
        frozenset(),
        "sauce, condiment, relish, dressing, vinaigrette, marinade, rub, dry rub, seasoning, spice mix, spice "
        "blend, jam, jelly, marmalade, preserve, chutney, pickle, salsa, ketchup, mustard, mayonnaise, mayo, "
        "pesto, gravy, broth, stock, syrup, frosting, icing, glaze, curd, soße, sosse, gewürz, marmelade, "
        "saus, sås, molho, tempero, geleia, confiture, condimento, marmellata, sovs, dressinger, mártás, ソース, "
        "ドレッシング",
    ),
)
"""Meals -> words and phrases, in the singular; the longer of two that overlap counts."""

CONDIMENTS = (
    "sauce, relish, dressing, vinaigrette, marinade, rub, seasoning, spice mix, spice blend, jam, "
    "marmalade, preserve, chutney, ketchup, syrup, frosting, icing, soße, gewürz, marmelade, saus, molho, "
    "confiture, marmellata"
)
"""A title that ends in one of these names no dish, whatever its category says: "Taco seasoning" is filed as a main."""
