"""Tables and files of a run. No path and no name of a machine gets into them."""
import json

from bench import rows

KEYS = ["req_per_s", "p50_ms", "p99_ms", "cpu_us_per_req", "core_share", "rss_mb", "other_cores"]
NAMES = {"hitch": "varnish behind hitch"}


def table(run):
    """The whole run as Markdown: ratios first, then every row's medians."""
    parts = [heading(run), ratios(run)]
    titles = {row["name"]: row["title"] for row in run["rows"]}
    for name, results in run["loads"].items():
        parts.append(details(titles[name], results))
    if run["memory"]:
        parts.append(held(run["memory"]))
    if run["collapse"]:
        parts.append(crowds(run["collapse"]))
    if run["bans"]:
        parts.append(banned(run["bans"]))
    parts.extend(f"{name} failed: {why}\n" for name, why in run["failed"].items())
    return "\n".join(parts)


def heading(run):
    others = [entry["other_cores"] for results in run["loads"].values() for entries in results.values() for entry in entries]
    load = f"; other programs used {sum(others) / len(others):.2f} cores on average meanwhile" if others else ""
    lines = [f"# {run['date']}: {run['machine']}", "",
             f"Interleaved rounds: {run['rounds']} of {run['seconds']} s for each row and server. Servers on core 0, "
             f"load and origin on core 1{load}.", ""]
    return "\n".join(lines + [f"- {name}: {version}" for name, version in run["versions"].items()]) + "\n"


def grid(head, body):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def ratio(results, key, other, upside_down=False):
    ours, theirs = (rows.median(results[name], key) for name in ("nearfront", other))
    return (theirs / ours if upside_down else ours / theirs) if ours and theirs else 0.0


def ratios(run):
    """Medians of ours divided by medians of theirs, by requests per second and (in brackets) per second of the server's CPU."""
    columns = ["nginx", "varnish", "ceiling", "h2o"]
    body = []
    for row in run["rows"]:
        results = run["loads"].get(row["name"])
        if results:
            body.append([row["title"]] + [cell(row, results, column) for column in columns])
    if not body:
        return ""
    text = ("Ours divided by theirs: medians of requests per second; in brackets, of requests per second of the server's CPU; "
            "then what is wanted, where something is.\n\n")
    return text + grid(["hits unless said", *(f"vs {column}" for column in columns)], body)


def cell(row, results, column):
    other = "hitch" if column == "varnish" and "hitch" in results else column
    if other not in results:
        return ""
    rate, work = ratio(results, "req_per_s", other), ratio(results, "cpu_us_per_req", other, True)
    wanted = row["targets"].get(other)
    return f"{rate:.2f} ({work:.2f})" + (f" {'met' if rate >= wanted else 'short'}: ≥ {wanted}" if wanted else "")


def details(title, results):
    head = [title, "req/s", "p50 ms", "p99 ms", "CPU µs/request", "share of core 0", "RSS MB", "others' cores"]
    forms = ["{:,.0f}", "{:.2f}", "{:.2f}", "{:.1f}", "{:.0%}", "{:,.0f}", "{:.2f}"]
    body = [[NAMES.get(name, name)] + [form.format(rows.median(entries, key)) for form, key in zip(forms, KEYS)]
            for name, entries in results.items()]
    return grid(head, body)


def held(results):
    """Memory: ours shall need at most half of Varnish's bytes, and 750 B."""
    each = {name: result["bytes_per_object"] for name, result in results.items()}
    share = each["nearfront"] / each["varnish"]
    good = "met" if share <= 0.5 and each["nearfront"] <= 750 else "short"
    body = [[name, f"{result['objects']:,}", f"{result['bytes_per_object']:,.0f}"] for name, result in results.items()]
    return grid(["512 B objects in memory", "objects", "RSS bytes for each"], body) + (
        f"\nOurs divided by Varnish's: {share:.2f}; {good}: ≤ 0.5 and ≤ 750 B.\n")


def crowds(results):
    body = []
    for name, entries in results.items():
        fetches, late = max(one["origin_fetches"] for one in entries), max(one["late_ms"] for one in entries)
        answered = min(one["answered"] for one in entries)
        good = "met" if fetches == 1 and answered == 200 and late <= 50 else "short"
        body.append([name, str(fetches), str(answered), f"{late:,.0f}", good])
    return grid(["200 viewers, one cold slow object", "origin fetches", "answered", "ms after the origin", "1, 200, ≤ 50"], body)


def banned(results):
    body = [[state, f"{one['req_per_s']:,.0f}", f"{one['p50_ms']:.2f}", f"{one['p99_ms']:.2f}", f"{one['cpu_us_per_req']:.1f}"]
            for state, one in results.items()]
    return grid(["hits of 512 B", "req/s", "p50 ms", "p99 ms", "CPU µs/request"], body)


def keep(run, file):
    """The run as JSON, every round in it."""
    file.write_text(json.dumps(run, indent=1, ensure_ascii=False) + "\n")
