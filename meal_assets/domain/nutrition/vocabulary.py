"""The words of recipes and of USDA's descriptions, as data: what means the same, what says nothing, what says what."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SYNONYMS = """
courgette = zucchini; aubergine = eggplant; rocket = arugula; beetroot = beet; capsicum = bell pepper
prawn = shrimp; swede = rutabaga; mange tout = snow pea; mangetout = snow pea; pak choi = bok choy
spring onion = scallion; green onion = scallion; salad onion = scallion; mince beef = ground beef
beef mince = ground beef; minced beef = ground beef; lamb mince = ground lamb; minced lamb = ground lamb
pork mince = ground pork; minced pork = ground pork; turkey mince = ground turkey; chicken mince = ground chicken
minced chicken = ground chicken; caster sugar = granulated sugar; castor sugar = granulated sugar
superfine sugar = granulated sugar; icing sugar = powdered sugar; confectioner sugar = powdered sugar
confectioner s sugar = powdered sugar; plain flour = all purpose flour; cornflour = cornstarch
wholemeal = whole wheat; wholewheat = whole wheat; wholegrain = whole grain; bicarbonate of soda = baking soda
bicarb = baking soda; porridge oat = rolled oat; gammon = ham; linseed = flaxseed; groundnut = peanut
yoghurt = yogurt; yogourt = yogurt; chilli = chili; chile = chili; chily = chili; chilly = chili; omelette = omelet
garbanzo = chickpea; garbanzo bean = chickpea; filbert = hazelnut; catsup = ketchup; sweetcorn = sweet corn
double cream = heavy cream; stock = broth; cube stock = bouillon; broadbean = broad bean; doughnut = donut
semi skimmed = reduced fat; skimmed = skim; wing = wing; sultana = raisin; treacle = molasses; candied = candy
coriander leaf = cilantro; fresh coriander = cilantro; bunch coriander = cilantro; parmigiano = parmesan
parmigiano reggiano = parmesan; parmesean = parmesan; mozarella = mozzarella; brocolli = broccoli
tumeric = turmeric; worchestershire = worcestershire; worcester = worcestershire; vegies = vegetable
veggie = vegetable; catfish = catfish; margerine = margarine; maple sirup = maple syrup; sirup = syrup
evoo = olive oil; oleo = margarine; mayo = mayonnaise; jalapeno chili = jalapeno; jalapeno pepper = jalapeno
bell pepper = bell pepper; bun = bun; ladyfinger = ladyfinger; light brown sugar = brown sugar
dark brown sugar = brown sugar; half and half = half half; half n half = half half; self raising = self rising
breadcrumb = bread crumb; chilis = chili; corn meal = cornmeal; filet = fillet; garlic granule = garlic powder
onion granule = onion powder; thai chili = thai chili; buttercup squash = winter squash; oatmeal = oat; soya = soy
soyabean = soybean; scallop potato = potato
"""
"""What is said = what is meant, in singular; British on the left."""
SAME = _words("""
    asparagus bass brussels citrus couscous cress floss glass hummus lass molasses octopus swiss
""")
"""Words that end like a plural and are none."""
NOISE = _words("""
    a about additional all also an any around as at available best big brand bulk chilled chopped chunk clean
    cleaned coarse coarsely cold color common cored crisp crumble crumbled cube cubed cup cut deveined diced divided
    drained each end equal extra favorite favourite few filet fillet fine finely firmly floret for free fresh
    freshly from frozen garnish generous good grade grated halved halves handful hard heaped heaping high homemade
    hot house hulled if in inch into is its julienned jumbo just large lean leftover little loose loosely lot
    lukewarm lump made matchstick medium melted mild minced more natural needed new nice note of on one only
    optional or organic other our pack packed part peeled piece pinch pitted plain plus preferably premade premium
    prepared pure purpose-made quality quartered quick range recipe regular removed rib ring rinsed ripe room
    roughly rounded run s scant seeded serving shaving sheet shelled shredded shucked size sized skinned slice
    sliced sliver small softened some split sprig squeezed stalk stem stemmed stick store strip style such t taste
    temp temperature tender that the then thick thickly thin thinly to trimmed try unpeeled up use used very warm
    washed wedge well whole wild with x you young your zested mini bite
""")
"""What tells a cook what to do, and a shopper what to look for, but not which food it is."""
SOFT = _words("""
    baby black bone boneless canned center cooked country dairy dark day dried fashioned fat fed firm flavored
    gluten grass green hot imported instant lean light low old raw red reduced roasted salted skin skinless smoked
    sodium solid style sweet sweetened unflavored unsalted unsweetened vegan virgin white yellow
""")
"""What tells a variety rather than a food."""
TAILS = _words("""
    bean berry branch bulb cap cheese chile chunk crown cutlet extract filling flesh green half head leaf link loin
    meat noodle pasta pepper pod powder pulp rib root seasoning seed spear steak stick strip tenderloin top wedge
    wine
""")
"""Last words that may be left out: `gorgonzola cheese`, `sage leaves`."""
GENERIC = _words("""
    ball bar berry chip cream dressing drink extract filling flake glaze juice leaf mix paste pod powder root rub
    salad sauce seasoning seed soup spice spread syrup topping
""")
"""Last words that alone say nothing: no `juice` stands for another."""
CATEGORIES = _words("""
    agent alcoholic babyfood beverage candy cereal cooky crustacean dressing fish game leavening mollusk mushroom
    nut salad sauce seed snack soup spice sweetener topping vegetable
""")
"""What USDA begins a description with before it comes to the food: `Spices, pepper, black`."""
IDLE = _words("""
    a added all and as average bleached by commercial commercially commodity d enriched fluid for fortified fresh
    from home in includes kernel mature nfs not ns of only or other plain prepared purchased raw ready regular round
    salt serve than the to type unbleached unenriched usda variety vitamin whole with without year
""")
"""What stands in descriptions and nobody asks for."""
STATES: dict[str, tuple[float, frozenset[str]]] = {
    "cooked": (
        0.16,
        _words("baked boiled braised broiled cooked grilled microwaved roasted simmered steamed stewed toasted"),
    ),
    "fried": (0.16, _words("battered breaded fried pan-fried")),
    "canned": (0.14, _words("can canned jarred tin tinned")),
    "dried": (0.16, _words("dehydrated dried dry freeze mix powder powdered")),
    "frozen": (0.07, _words("frozen")),
    "pickled": (0.14, _words("pickled")),
    "smoked": (0.14, _words("cured smoked")),
    "sweetened": (0.1, _words("candied glazed sweetened")),
    "light": (0.06, _words("diet imitation light lowfat nonfat reduced skim substitute")),
}
"""State -> what it costs a food to be in it unasked, and the words that tell it."""
STATE_WORDS = frozenset(word for _, words in STATES.values() for word in words)
