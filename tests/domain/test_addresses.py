"""What of an address is kept for ever."""

import pytest

from meal_assets.domain.recipes.addresses import without_secrets

SOUP = "https://kitchen.example/soup"


@pytest.mark.parametrize(
    "url",
    [
        SOUP,
        f"{SOUP}?p=17",
        f"{SOUP}?id=5f2b8c0de1a9f30017a4c0de&page=2",
        f"{SOUP}?recipe=grandmothers-famous-and-very-slow-lentil-soup-with-carrots",
        f"{SOUP}?utm_source=mail&keyword=soup&monkey=1&passage=3&design=a",
        f"{SOUP}?a&b=&c=%C3%A9+x#steps",
        f"{SOUP}?token=",
    ],
)
def test_an_address_without_secrets_stays_as_it_is(url: str) -> None:
    assert without_secrets(url) == (url, ())


@pytest.mark.parametrize(
    ("url", "kept", "names"),
    [
        (f"{SOUP}?token=x&p=1", f"{SOUP}?p=1", ("token",)),
        (f"{SOUP}?p=1&access_token=x&Signature=y", f"{SOUP}?p=1", ("access_token", "Signature")),
        (f"{SOUP}?X-Amz-Signature=x&X-Amz-Credential=y", SOUP, ("X-Amz-Signature", "X-Amz-Credential")),
        (f"{SOUP}?api%5Fkey=x", SOUP, ("api_key",)),
        (f"{SOUP}?PHPSESSID=x&sid=y&key=z", SOUP, ("PHPSESSID", "sid", "key")),
        (f"{SOUP}?v=eyJhbGciOi.eyJzdWIi.c2ln", SOUP, ("v",)),
        (f"{SOUP}?q=" + "0123456789abcdef" * 3, SOUP, ("q",)),
        (f"{SOUP}#access_token=x&state=1", SOUP, ("fragment",)),
        ("https://ada:hush@kitchen.example:8443/soup", "https://kitchen.example:8443/soup", ("user",)),
    ],
)
def test_what_may_be_secret_is_left_out_and_named(url: str, kept: str, names: tuple[str, ...]) -> None:
    assert without_secrets(url) == (kept, names)
