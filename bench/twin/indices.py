"""The twelve indices: names, documents, and which kinds of data stand in which field."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from city import COUNTRIES, City, Person

Doc = dict[str, Any]
COMPANIES = 976
ORIGINS = ("汉族",) * 12 + ("回族", "满族", "壮族", "苗族", "藏族", "蒙古族", "土家族", "彝族")
BELIEFS = ("无宗教信仰",) * 6 + ("佛教", "道教", "伊斯兰教", "基督教", "天主教")
HEALTH = ("健康",) * 6 + ("高血压", "糖尿病", "哮喘", "残疾", "慢性病")
STREETS = "人民路 解放路 中山路 建设路 和平路 文化路 新华路 滨海路 东风路 工业大道".split()
FIRMS = "海天 宏远 东方 金诚 华盛 恒通 瑞丰 天成 立信 博远".split()
TRADES = "贸易 科技 建筑 物流 食品 电子 纺织 机械 化工 文化".split()
JOBS = "工程师 会计 司机 销售经理 厨师 保安 教师 护士 仓库管理员 操作工".split()
BRANDS = "Haima Bluebird Condor Meteor Orion".split()
FIRST = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
VECTOR = 128


@dataclass(frozen=True, slots=True)
class Index:
    """An index: how many documents it has at scale 1, who makes them, which kinds its fields hold."""

    name: str
    size: int
    docs: Callable[[City, int], Iterator[Doc]]
    kinds: dict[str, str] = field(default_factory=dict)  # path -> category
    flat: bool = True  # fits into CSV


def moment(number: int) -> str:
    """Return a moment, later for larger numbers: "2026-01-01 00:00:37"."""
    return f"{FIRST + dt.timedelta(seconds=37 * number):%Y-%m-%d %H:%M:%S}"


def place(city: City, number: int) -> tuple[float, float]:
    """Return a latitude and a longitude in the sea; the next of somebody who moves is near."""
    step = number % 1000
    return round(21.0 + step * 0.0007 + city.random() * 0.001, 6), round(
        118.2 + step * 0.0005 + city.random() * 0.001, 6
    )


def address(number: int) -> str:
    """Return a postal address of a city that does not exist."""
    street = STREETS[number % len(STREETS)]
    return f"无名市新区{street}{number % 400 + 1}号{number % 18 + 1}栋{number % 30 + 101}室"


def residents(city: City, size: int) -> Iterator[Doc]:
    for number, one in enumerate(city.residents[:size]):
        contact = {"手机号": one.phone or None, "家庭住址": address(number)}
        yield {
            "姓名": one.name, "身份证号": one.id, "性别": "女" if one.female else "男", "出生日期": f"{one.born}",
            "民族": city.one(ORIGINS), "宗教信仰": city.one(BELIEFS), "健康状况": city.one(HEALTH),
            "联系方式": contact, "监护人身份证号": one.guardian or None, "更新时间": moment(number),
        }  # fmt: skip


def visitors(city: City, size: int) -> Iterator[Doc]:
    for number, one in enumerate(city.visitors[:size]):
        yield {
            "full_name": one.name, "passport_no": one.id, "nationality": COUNTRIES[one.country],
            "date_of_birth": f"{one.born}", "gender": "F" if one.female else "M", "mrz": mrz(one),
            "photo": picture(city), "hotel": f"Hotel {number % 60 + 1}", "arrival": moment(number)[:10],
        }  # fmt: skip


def mrz(one: Person) -> str:
    """Return the machine-readable zone of a passport (ICAO 9303, TD3) with its check digits."""
    given, family = one.name.upper().split()
    first = f"P<{one.country}{family}<<{given}".ljust(44, "<")
    number, born, until = one.id.ljust(9, "<"), f"{one.born:%y%m%d}", "310101"
    parts = [text + _digit(text) for text in (number, born, until, "<" * 14)]
    sex = "F" if one.female else "M"
    return f"{first}\n{parts[0]}{one.country}{parts[1]}{sex}{parts[2]}{parts[3]}{_digit(''.join(parts))}"


def _digit(text: str) -> str:
    values = (0 if c == "<" else int(c) if c.isdigit() else ord(c) - 55 for c in text)
    return str(sum(value * (7, 3, 1)[place % 3] for place, value in enumerate(values)) % 10)


def picture(city: City) -> str:
    """Return what starts like a JPEG and is noise."""
    head = bytes.fromhex("ffd8ffe000104a46494600010100000100010000")
    return base64.b64encode(head + bytes(city.below(256) for _ in range(600)) + b"\xff\xd9").decode()


def company(number: int) -> str:
    return f"无名市{FIRMS[number % 10]}{FIRMS[number // 10 % 10]}{TRADES[number // 100 % 10]}有限公司"


def credit_code(number: int) -> str:
    """Return a code of a company by GB 32100 in a county that does not exist, with both check digits."""
    letters = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    body = f"MA{number:06}"
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    own = 11 - sum(w * int(c, 36) for w, c in zip(weights, body, strict=True)) % 11
    code = "91119900" + body + ("X" if own == 10 else str(own % 11))
    total = sum(letters.index(c) * pow(3, place, 31) for place, c in enumerate(code))
    return code + letters[(31 - total % 31) % 31]


def staff(city: City, size: int) -> Iterator[Doc]:
    people = [*city.adults[: size - len(city.commuters)], *city.commuters]
    for number, one in enumerate(people):
        firm = number * 7 % COMPANIES
        yield {
            "gsmc": company(firm), "tyshxydm": credit_code(firm), "xm": one.name, "sfzh": one.id, "sjhm": one.phone,
            "gw": JOBS[number % len(JOBS)], "rzrq": moment(number)[:10], "yx": 4000 + number * 13 % 9000,
        }  # fmt: skip


def companies(_: City, size: int) -> Iterator[Doc]:
    for number in range(size):
        yield {
            "企业名称": company(number), "统一社会信用代码": credit_code(number), "注册地址": address(number * 3),
            "注册资本": f"{number % 90 + 10}万元", "成立日期": moment(number * 900)[:10], "经营状态": "存续",
            "联系电话": f"0990-{5_550_000 + number}",
        }  # fmt: skip


def plate(number: int) -> str:
    return f"琼{'ABCDEF'[number % 6]}{number * 17 % 100_000:05}"


def device(number: int) -> str:
    """Return the number of a device by the scheme of IMEI, with its check digit."""
    body = f"86{number * 7919 % 10**12:012}"
    digits = [int(c) * (1 + place % 2) for place, c in enumerate(body)]
    return body + str(-sum(d // 10 + d % 10 for d in digits) % 10)


def vehicles(city: City, size: int) -> Iterator[Doc]:
    adults = city.adults
    for number in range(size):
        owner = adults[number % max(1, size * 11 // 12) % len(adults)]
        yield {
            "plate_no": plate(number), "owner_id_card": owner.id, "brand": BRANDS[number % 5],
            "colour": ("white", "black", "grey")[number % 3], "registered": moment(number * 50)[:10],
        }  # fmt: skip


def positions(city: City, size: int) -> Iterator[Doc]:
    vehicles = city.of(12_000)
    for number in range(size):
        lat, lon = place(city, number // vehicles + number % vehicles * 5)
        car = number % vehicles
        yield {
            "车牌号": plate(car), "设备号": device(car), "时间": moment(number), "纬度": lat, "经度": lon,
            "速度": number % 90,
        }  # fmt: skip


def sightings(city: City, size: int) -> Iterator[Doc]:
    adults = city.adults[: max(1, size // 10)]  # each of them about six times
    for number in range(size):
        lat, lon = place(city, number % 240)
        yield {
            "camera_id": f"cam-{number % 240:04}", "shot_time": moment(number), "lat": lat, "lon": lon,
            "id_card": city.one(adults).id if number % 10 < 6 else None,
            "similarity": round(0.5 + city.random() / 2, 3),
            "face_feature": [round(city.random() - 0.5, 4) for _ in range(VECTOR)],
        }  # fmt: skip


def calls(city: City, size: int) -> Iterator[Doc]:
    phones = [one.phone for one in (*city.adults, *city.commuters)] + city.outside
    outside = len(city.outside)
    for number in range(size):
        caller = phones[-1 - number] if number < outside else city.one(phones)
        yield {
            "zjhm": caller, "bjhm": city.one(phones), "kssj": moment(number), "thsc": city.below(900),
            "jzbh": f"bs{number % 300:05}",
        }  # fmt: skip


def electricity(city: City, size: int) -> Iterator[Doc]:
    homes = max(1, size // 10)
    for number in range(size):
        home = number % homes
        holder = city.adults[home]
        yield {
            "户号": f"E{home:09}", "户主姓名": holder.name, "联系电话": holder.phone, "用电地址": address(home),
            "月份": f"2026-{number // homes % 12 + 1:02}", "用电量": round(40 + city.random() * 300, 1),
        }  # fmt: skip


def weather(city: City, size: int) -> Iterator[Doc]:
    for number in range(size):
        yield {
            "station": f"st{number % 400:03}", "time": moment(number), "temperature": round(city.random() * 40 - 5, 1),
            "humidity": city.below(100), "wind_direction": city.below(360), "pressure": 980 + city.below(60),
        }  # fmt: skip


def sensors(city: City, size: int) -> Iterator[Doc]:
    for number in range(size):
        yield {
            "传感器编号": f"cg{number % 5000:06}", "采集时间": moment(number), "数值": round(city.random() * 1000, 2),
            "单位": ("kPa", "mg", "dB")[number % 3], "状态": ("正常", "告警")[number % 9 == 0],
        }  # fmt: skip


def metrics(city: City, size: int) -> Iterator[Doc]:
    for number in range(size):
        yield {
            "route": ("/api/list", "/api/detail", "/health", "/static")[number % 4],
            "status": (200, 304, 500)[number % 3],
            "took_ms": city.below(900), "bytes": city.below(90_000), "at": moment(number), "node": f"web{number % 8}",
        }  # fmt: skip


def names() -> list[str]:
    """Return the names of all indices."""
    return [index.name for index in INDICES]


INDICES = (
    Index("居民信息", 25_000, residents, {
        "姓名": "person_name", "身份证号": "national_id", "性别": "gender", "出生日期": "birth_date",
        "民族": "ethnic_origin", "宗教信仰": "religion", "健康状况": "health", "联系方式.手机号": "telephone_number",
        "联系方式.家庭住址": "postal_address", "监护人身份证号": "national_id",
    }, flat=False),
    Index("foreign_visitor", 5_000, visitors, {
        "full_name": "person_name", "passport_no": "passport_number", "nationality": "nationality",
        "date_of_birth": "birth_date", "gender": "gender", "mrz": "passport_number", "photo": "photograph",
    }),
    Index("qiye_yuangong", 18_000, staff, {
        "xm": "person_name", "sfzh": "national_id", "sjhm": "telephone_number",
    }),
    Index("企业登记", COMPANIES, companies),
    Index("vehicle_register", 12_000, vehicles, {"plate_no": "vehicle_plate", "owner_id_card": "national_id"}),
    Index("车辆轨迹", 201_024, positions, {
        "车牌号": "vehicle_plate", "设备号": "device_identifier",
        "纬度": "location_history", "经度": "location_history",
    }),
    Index("face_sighting", 38_000, sightings, {
        "lat": "location_history", "lon": "location_history", "id_card": "national_id",
        "face_feature[]": "face_template",
    }, flat=False),
    Index("thjl", 150_000, calls, {"zjhm": "telephone_number", "bjhm": "telephone_number", "thsc": "call_log"}),
    Index("electricity_2026", 100_000, electricity, {
        "户主姓名": "person_name", "联系电话": "telephone_number", "用电地址": "postal_address",
        "用电量": "service_consumption",
    }),
    Index("weather_grid", 183_333, weather),
    Index("传感器数据", 183_333, sensors),
    Index("web_metrics", 183_334, metrics),
)  # fmt: skip

__all__ = ["INDICES", "Doc", "Index", "names"]
