"""How each source writes the same product down. No type was agreed on, as in real event data."""

import json
import random

from local.segment.catalogue import Product
from local.segment.sources import ANDROID, IOS, WEB, Json, Source


def product(source: Source, item: Product, quantity: int = 1) -> Json:
    """Return the properties of one product: `price` is a number on the web, text on iOS and an object on Android."""
    if source is WEB:
        return {
            "product_id": item.sku,
            "sku": item.sku,
            "name": item.name,
            "category": item.category,
            "price": item.price,
            "currency": "KRW",
            "quantity": quantity,
            "url": f"https://shop.example.com{item.path}",
        }
    if source is IOS:
        return {
            "product_id": item.number,
            "name": item.name,
            "category": item.category,
            "price": str(item.price),
            "currency": "KRW",
            "quantity": quantity,
            "brand": None,
        }
    if source is ANDROID:
        return {
            "product_id": item.sku,
            "name": item.name,
            "category": ["shop", item.category],
            "price": {"amount": item.price, "currency": "KRW"},
            "quantity": str(quantity),
            "inStock": "true",
        }
    return {"productId": item.number, "name": item.name, "price": item.price / 1, "quantity": quantity}


def list_filter(source: Source, rng: random.Random) -> object:
    """Return the filter of a product list: a list of objects, except on Android, which sends JSON inside a string."""
    chosen = {"type": "price", "value": rng.choice(("0-30000", "30000-60000", "60000-"))}
    if source is ANDROID:
        return json.dumps({"filters": [chosen], "sort": "popular"}, ensure_ascii=False)
    return [chosen, {"type": "category", "value": "차"}]


def order(source: Source, rng: random.Random, items: list[Product], number: int) -> Json:
    """Return an order's properties, with nested products; apps send `revenue` as text; `coupon` is often null."""
    revenue = sum(item.price for item in items)
    shipping = 0 if revenue >= 50_000 else 3_000
    properties: Json = {
        "order_id": number if source is ANDROID else f"MO-{number}",
        "revenue": f"{revenue}.00" if source in (IOS, ANDROID) else revenue,
        "shipping": shipping,
        "total": revenue + shipping,
        "currency": "KRW",
        "coupon": rng.choice((None, None, "가을10", {"code": "TEA-5000", "amount": 5000})),
        "products": [product(source, item) for item in items],
        "gift": {"wrapped": rng.random() < 0.3, "message": rng.choice((None, "생일 축하해요 🎂", "Enjoy!\n— E."))},
    }
    if source is WEB:
        properties["tags"] = rng.sample(["first-order", "gift", "재구매", "app-install"], 2)
    return properties
