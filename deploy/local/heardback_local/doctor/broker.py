"""The broker: in reach, with its topics, read to the end; and how much memory the embedded one holds."""

from pathlib import Path

from aiokafka.errors import KafkaError

from heardback_local.broker import DEFAULT_MEMORY_LIMIT_MB
from heardback_local.doctor.findings import Finding
from heardback_local.folder import DataFolder
from heardback_local.lag import BrokerView, Lag, look_at_broker
from heardback_shared.settings import KafkaSettings

LAG_WARNING = 10_000


async def look_at_kafka(settings: KafkaSettings) -> list[Finding]:
    try:
        view = await look_at_broker(settings)
    except (KafkaError, OSError, TimeoutError) as error:
        return [
            Finding(
                "broker",
                "fail",
                f"not in reach at {settings.bootstrap_servers}: {type(error).__name__}",
                "start it, or correct HEARDBACK_KAFKA_BOOTSTRAP_SERVERS and its security settings",
            )
        ]
    return judge_broker(view)


def judge_broker(view: BrokerView) -> list[Finding]:
    findings = [Finding("broker", "ok", "in reach")]
    if view.missing_topics:
        findings.append(
            Finding("topics", "fail", f"missing: {', '.join(view.missing_topics)}", "heardback topics")
        )
    else:
        findings.append(Finding("topics", "ok", "all there"))
    return findings + [_judge_lag(lag) for lag in view.lags]


def _judge_lag(lag: Lag) -> Finding:
    subject, detail = f"lag of {lag.group}", f"{lag.records} records of {lag.topic}"
    if lag.records > LAG_WARNING:
        return Finding(subject, "warn", detail, "look at that service's log; start more of it")
    return Finding(subject, "ok", detail)


def look_at_memory(folder: Path) -> list[Finding]:
    """Nothing when no embedded broker runs on this folder."""
    import psutil

    findings = []
    for process in DataFolder(folder).children():
        try:
            if process.name().startswith("tansu"):
                findings.append(judge_memory(process.memory_info().rss // 2**20))
        except psutil.NoSuchProcess:
            continue
    return findings


def judge_memory(megabytes: int) -> Finding:
    detail = f"{megabytes} MB; above {DEFAULT_MEMORY_LIMIT_MB} MB it restarts empty once nothing is in flight"
    if megabytes > 2 * DEFAULT_MEMORY_LIMIT_MB:
        return Finding("broker memory", "warn", detail, "let the services catch up, or use Apache Kafka")
    return Finding("broker memory", "ok", detail)
