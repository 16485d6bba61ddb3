"""How people move through the shop: a visit is a list of calls, first anonymous, then known."""

import random
from dataclasses import dataclass, field
from urllib.parse import quote

from local.segment import properties
from local.segment.catalogue import CAMPAIGNS, PRODUCTS, REFERRERS, SEARCHES, Place, Product
from local.segment.sources import ANDROID, IOS, ORDERS, Device, Json, Source, orders_server

SHOP = "https://shop.example.com"


@dataclass(frozen=True)
class Visitor:
    """One person. `user_id` is known to Segment only after an identify or alias call."""

    user_id: str
    name: str
    email: str
    locale: str
    place: Place

    @property
    def traits(self) -> Json:
        """What an identify call says about the person."""
        return {
            "name": self.name,
            "email": self.email,
            "locale": self.locale,
            "createdAt": "2026-03-02T08:15:00.000Z",
            "address": {"city": self.place.city, "country": self.place.country},
            "marketing_opt_in": True,
        }


@dataclass(frozen=True)
class Step:
    """One call: `pause` seconds after the one before it; `fields` are top level, `context` adds to the device's."""

    device: Device
    call: str
    pause: float
    user_id: str | None
    fields: Json
    context: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """A web page as analytics.js describes it in context.page and in the properties of a page call."""

    path: str
    title: str
    referrer: str = ""
    search: str = ""

    def as_json(self) -> Json:
        """Return the five page keys; `url` includes the query string."""
        return {
            "path": self.path,
            "referrer": self.referrer,
            "search": self.search,
            "title": self.title,
            "url": f"{SHOP}{self.path}{self.search}",
        }


class WebVisit:
    """Write the calls of one visit to the web shop, keeping track of the page and of who is signed in."""

    def __init__(self, rng: random.Random, visitor: Visitor, device: Device, known: bool) -> None:
        self.rng, self.visitor, self.device = rng, visitor, device
        self.user_id = visitor.user_id if known else None
        self.steps: list[Step] = []
        self.campaign, referrer = rng.choice(CAMPAIGNS) if rng.random() < 0.5 else ({}, rng.choice(REFERRERS))
        query = "&".join(
            f"utm_{'campaign' if key == 'name' else key}={quote(value)}" for key, value in self.campaign.items()
        )
        self.page = Page("/", "마루마켓 | 차와 그릇", referrer, f"?{query}" if query else "")

    def add(self, call: str, pause: tuple[float, float], **fields: object) -> None:
        """Append one call made on the current page."""
        context: Json = {"page": self.page.as_json(), "campaign": self.campaign or None}
        if not self.campaign:
            del context["campaign"]
        if self.user_id and self.rng.random() < 0.3:
            context["traits"] = {"email": self.visitor.email, "plan": self.rng.choice(("free", "maru+"))}
        self.steps.append(Step(self.device, call, self.rng.uniform(*pause), self.user_id, dict(fields), context))

    def view(self, path: str, title: str, category: str | None, search: str = "") -> None:
        """Open a page: one page call."""
        if self.steps:
            self.page = Page(path, title, f"{SHOP}{self.page.path}", search)
        page = self.page.as_json() | ({"category": category} if category else {})
        extra = {"category": category} if category else {}
        self.add("page", (4, 60), name=title, properties=page, **extra)

    def track(self, event: str, **values: object) -> None:
        """Do something on the page: one track call."""
        self.add("track", (1, 25), event=event, properties=values)

    def sign_in(self) -> None:
        """Become known: one identify call."""
        self.user_id = self.visitor.user_id
        self.add("identify", (5, 40), traits=self.visitor.traits)


def web_visit(rng: random.Random, visitor: Visitor, device: Device, known: bool, buys: bool) -> list[Step]:
    """Landing, search, product pages, cart, and with `buys` sign-in, checkout and the order service's event."""
    visit = WebVisit(rng, visitor, device, known)
    visit.view("/", "마루마켓 | 차와 그릇", "Landing")
    query = rng.choice(SEARCHES)
    visit.view("/search", f"'{query}' 검색 결과", "Search", f"?q={quote(query)}&sort=popular")
    visit.track("Products Searched", query=query, results_count=rng.randint(0, 48))
    visit.track("Product List Filtered", list_id="search", filters=properties.list_filter(device.source, rng))
    items = rng.sample(PRODUCTS, rng.randint(1, 3))
    for item in items:
        visit.view(item.path, f"{item.name} | 마루마켓", "Product")
        visit.track("Product Viewed", position=rng.randint(1, 24), **properties.product(device.source, item))
        visit.track(
            "Product Added" if rng.random() < 0.5 else "찜하기 ❤️ Clicked",
            cart_id=f"cart_{rng.getrandbits(40):010x}",
            **properties.product(device.source, item, 2),
        )
    if buys:
        if not known:
            visit.sign_in()
        visit.view("/checkout", "주문/결제", "Checkout")
        number = order_number(rng)
        visit.track("Checkout Started", **properties.order(device.source, rng, items, number))
        visit.track("paymentInfoEntered", checkout_id=number, payment_method=rng.choice(("카카오페이", "card")))
        visit.steps.append(order_completed(rng, visitor, device, items, number))
        visit.view("/checkout/complete", "주문 완료 🎉", "Checkout")
    return visit.steps


def order_number(rng: random.Random) -> int:
    """Return the number of a new order."""
    return rng.randint(26_000_000, 26_999_999)


def order_completed(rng: random.Random, visitor: Visitor, device: Device, items: list[Product], number: int) -> Step:
    """Return the order service's own event: known user, the client's anonymous id, no page and no device."""
    order = properties.order(ORDERS, rng, items, number)
    order["payment"] = {"provider": "nicepay", "installments": rng.choice((0, 3)), "approved": True}
    server = orders_server(device.anonymous_id)
    return Step(server, "track", rng.uniform(1, 8), visitor.user_id, {"event": "Order Completed", "properties": order})


INSTALL_REFERRER = {
    "id": "ref_7Q2M",
    "type": "app_install",
    "name": "플레이 스토어",
    "url": "https://play.store.example/details?id=com.example.marumarket",
    "link": "https://go.shop.example.com/tea26",
}
SCREENS = (("Home", None), ("Category", "Browse"), ("Product", "Browse"), ("Cart", "Checkout"), ("My Page", "Account"))


def app_visit(rng: random.Random, visitor: Visitor, device: Device, known: bool, signs_up: bool) -> list[Step]:
    """Return an app session: lifecycle event, screens, products; `signs_up` adds alias and identify, then an order."""
    user_id = visitor.user_id if known else None
    steps: list[Step] = []

    def add(call: str, **fields: object) -> None:
        context: Json = {"traits": {"email": visitor.email}} if user_id and device.source is ANDROID else {}
        if device.source is ANDROID and not known:
            context["referrer"] = INSTALL_REFERRER
        steps.append(Step(device, call, rng.uniform(1, 30), user_id, dict(fields), context))

    add("track", event="Application Opened", properties=_opened(device.source, rng))
    items = rng.sample(PRODUCTS, rng.randint(2, 3))
    for name, category in SCREENS[:3]:
        add("screen", name=name, properties={"tab": rng.randint(0, 4)}, **({"category": category} if category else {}))
    add("track", event="Product List Filtered", properties={"filters": properties.list_filter(device.source, rng)})
    for item in items:
        add("screen", name="Product", category="Browse", properties=properties.product(device.source, item))
        add("track", event="Product Viewed", properties=properties.product(device.source, item))
    if signs_up:
        previous, user_id = device.anonymous_id, visitor.user_id
        add("alias", previousId=previous)
        add("identify", traits=visitor.traits | {"push": {"enabled": True, "topics": ["sale", "배송"]}})
        add("screen", name="Cart", category="Checkout", properties={"items": len(items)})
        number = order_number(rng)
        add("track", event="Checkout Started", properties=properties.order(device.source, rng, items, number))
        steps.append(order_completed(rng, visitor, device, items, number))
    return steps


def _opened(source: Source, rng: random.Random) -> Json:
    opened: Json = {
        "version": "5.2.0",
        "build": "5201" if source is IOS else 5201,
        "from_background": rng.random() < 0.6,
    }
    if rng.random() < 0.2:
        opened["referring_application"] = "com.example.messenger"
    return opened


def company_visit(rng: random.Random, visitor: Visitor, device: Device) -> list[Step]:
    """Return a cafe that buys wholesale: a signed-in visit in which the person joins a group."""
    steps = web_visit(rng, visitor, device, known=True, buys=True)
    company = f"cafe-{rng.randint(100, 999)}"
    traits: Json = {
        "name": rng.choice(("카페 온도", "Tea & Sympathy GmbH")),
        "plan": "wholesale",
        "employees": rng.choice((4, "11-50")),
        "industry": "Food & Beverage",
    }
    join = Step(
        device, "group", rng.uniform(3, 20), visitor.user_id, {"groupId": company, "traits": traits}, steps[0].context
    )
    after = [Step(s.device, s.call, s.pause, s.user_id, s.fields, s.context | {"groupId": company}) for s in steps[2:]]
    return [*steps[:2], join, *after]


def back_office_steps(rng: random.Random, visitor: Visitor, server: Device) -> list[Step]:
    """Return what the back office says about a known user: mail, delivery, a change of traits."""
    mail: Json = {
        "campaign_id": rng.randint(40, 60),
        "subject": "🍵 이번 주 신상 찻잔",
        "template": {"id": 12, "ab": "B"},
    }
    parcel: Json = {
        "order_id": f"MO-{order_number(rng)}",
        "status": rng.choice(("배송중", "배송완료")),
        "carrier": "CJ대한통운",
        "weight_kg": 1.25,
        "items": [{"sku": "MM-2015", "fragile": "true"}],
    }
    loyalty: Json = {
        "loyalty_points": rng.randint(0, 9000),
        "tier": rng.choice(("새싹", "잎", None)),
        "name": visitor.name,
    }
    calls: tuple[tuple[str, Json], ...] = (
        ("track", {"event": "Email Sent", "properties": mail}),
        ("track", {"event": "delivery_status_updated", "properties": parcel}),
        ("identify", {"traits": loyalty}),
    )
    return [Step(server, call, rng.uniform(60, 900), visitor.user_id, fields) for call, fields in calls]
