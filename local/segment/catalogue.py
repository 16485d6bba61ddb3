"""What the invented shop sells and who visits it: the words that make generated events look like a product's own.

The shop, Maru Market, sells tea and tableware in Korea and abroad. Every address is from a range reserved for
documentation (RFC 2606 names, RFC 5737 and RFC 3849 addresses), so nothing here can point at a real person.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Product:
    """One product; `price` in Korean won."""

    number: int
    name: str
    category: str
    price: int

    @property
    def sku(self) -> str:
        """The stock-keeping unit as the web shop writes it."""
        return f"MM-{self.number}"

    @property
    def path(self) -> str:
        """The product's page on the web shop."""
        return f"/products/{self.sku.lower()}"


@dataclass(frozen=True)
class Place:
    """Where a visitor is: city, country, time zone and the start of an address reserved for documentation."""

    city: str
    country: str
    timezone: str
    address: str


PRODUCTS = (
    Product(1042, "우전 녹차 50g", "차", 32_000),
    Product(1043, "제주 말차 라떼 키트 🍵", "차", 24_500),
    Product(1051, "Hwagae Black Tea, 20 bags", "Tea", 18_900),
    Product(1060, "쑥차 & 유자청 세트", "차", 41_000),
    Product(2007, "달항아리 머그 「小」", "그릇", 27_000),
    Product(2011, 'Celadon Cup 9cm "Crane"', "Tableware", 38_000),
    Product(2015, "백자 찻주전자", "그릇", 129_000),
    Product(3002, "한지 조명 – Medium", "리빙", 89_000),
    Product(3010, "Ramie Table Runner", "Living", 46_500),
    Product(4001, "추석 선물세트 🎁 (보자기 포장)", "선물", 99_000),
)

PEOPLE = (
    ("김하늘", "ko-KR"),
    ("이도윤", "ko-KR"),
    ("박서연", "ko-KR"),
    ("최지우", "ko-KR"),
    ("정민준", "ko-KR"),
    ("Emma O'Neil", "en-US"),
    ("José Álvarez", "es-MX"),
    ("佐藤 結衣", "ja-JP"),
    ("Zoë Müller", "de-DE"),
    ("한소희", "ko-KR"),
)

PLACES = (
    Place("서울", "KR", "Asia/Seoul", "203.0.113."),
    Place("부산", "KR", "Asia/Seoul", "198.51.100."),
    Place("성남시 분당구", "KR", "Asia/Seoul", "203.0.113."),
    Place("San José", "US", "America/Los_Angeles", "192.0.2."),
    Place("東京", "JP", "Asia/Tokyo", "198.51.100."),
    Place("Köln", "DE", "Europe/Berlin", "2001:db8:85a3::"),
)

SEARCHES = ("녹차", "말차 라떼", "tea set", "선물 🎁", "moon jar", "찻잔 세트", "celadon")

# (campaign, referrer): utm parameters as analytics.js reads them from the address, and where the visitor came from.
CAMPAIGNS: tuple[tuple[dict[str, str], str], ...] = (
    (
        {"name": "추석 기획전 2026", "source": "naver", "medium": "cpc", "term": "녹차 선물", "content": "보자기-A"},
        "https://search.naver.example/search?query=%EB%85%B9%EC%B0%A8+%EC%84%A0%EB%AC%BC",
    ),
    (
        {"name": "autumn_tea", "source": "google", "medium": "cpc", "term": "korean green tea"},
        "https://www.google.example/",
    ),
    ({"name": "newsletter-47", "source": "newsletter", "medium": "email", "content": "hero_button"}, ""),
    (
        {"name": "reels_moonjar", "source": "instagram", "medium": "social", "creative": "video_03"},
        "https://l.instagram.example/",
    ),
)

REFERRERS = (
    "",
    "https://www.google.example/",
    "https://search.naver.example/",
    "https://blog.tea-notes.example/2026/11",
)
