"""Every metric heardback exposes. The list is closed: a name that is not here does not exist."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_LATENCY = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_LAGS = (1, 10, 60, 300, 900, 3_600, 14_400, 86_400, 604_800, 2_592_000)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class Metrics:
    """One registry per process, so that tests can hold several."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        # HTTP
        self.http_requests = Counter(
            "heardback_http_requests",
            "Requests by route template, method and status.",
            ["route", "method", "status"],
            registry=r,
        )
        self.http_seconds = Histogram(
            "heardback_http_request_seconds", "Time to answer.", ["route"], buckets=_LATENCY, registry=r
        )
        # Streams
        self.stream_records = Counter(
            "heardback_stream_records",
            "Records by stage and outcome (handled, dead).",
            ["stage", "outcome"],
            registry=r,
        )
        self.stream_batch = Histogram(
            "heardback_stream_batch_records",
            "Records handled together.",
            ["stage"],
            buckets=_SIZES,
            registry=r,
        )
        self.stream_seconds = Histogram(
            "heardback_stream_batch_seconds",
            "Time from poll to commit.",
            ["stage"],
            buckets=_LATENCY,
            registry=r,
        )
        self.stream_retries = Counter(
            "heardback_stream_retries",
            "Batches tried again because something was unavailable.",
            ["stage"],
            registry=r,
        )
        self.stream_lag = Gauge(
            "heardback_stream_lag_records", "Records waiting behind the last one read.", ["stage"], registry=r
        )
        self.outbox_relayed = Counter("heardback_outbox_relayed", "Events sent from the outbox.", registry=r)
        # Ledger: accepted = settled + in flight + dead
        self.ledger = Gauge("heardback_ledger_feedback", "Feedback by ledger state.", ["state"], registry=r)
        self.accepted = Counter(
            "heardback_feedback_accepted",
            "Feedback by door and outcome (accepted, duplicate, rejected).",
            ["door", "outcome"],
            registry=r,
        )
        self.redriven = Counter(
            "heardback_feedback_redriven", "Feedback sent again, by reason.", ["reason"], registry=r
        )
        self.redactions = Counter(
            "heardback_redactions", "Personal data removed, by kind.", ["kind"], registry=r
        )
        # Customers: sources beyond the first twenty of a process are "other"
        self.customer_lag = Histogram(
            "heardback_customer_lag_seconds",
            "From when a fact about a customer held, as its source says, to when it was told, by source.",
            ["source"],
            buckets=_LAGS,
            registry=r,
        )
        # Scoring
        self.scored = Counter("heardback_feedback_scored", "Scores by status.", ["status"], registry=r)
        self.inference_seconds = Histogram(
            "heardback_inference_seconds", "Time of one model batch.", buckets=_LATENCY, registry=r
        )
        self.inference_texts = Counter("heardback_inference_texts", "Texts read by the model.", registry=r)
        self.model_degraded = Gauge(
            "heardback_model_degraded", "1 while the fallback scorer answers.", registry=r
        )
        # Drift: sources beyond the first twenty of a process are "other"
        self.readings = Counter(
            "heardback_readings",
            "Scored feedback by source and outcome (read, abstained, unscored, degraded).",
            ["source", "outcome"],
            registry=r,
        )
        self.cues_found = Counter(
            "heardback_cues_found", "Feedback with a cue, by source and cue.", ["source", "cue"], registry=r
        )
        self.reading_share = Gauge(
            "heardback_reading_share",
            "Share of a window (current, reference) that is unscored, or abstained.",
            ["source", "window", "outcome"],
            registry=r,
        )
        self.reading_sentiment = Gauge(
            "heardback_reading_sentiment",
            "Mean sentiment of a window, -1 to 1.",
            ["source", "window"],
            registry=r,
        )
        self.reading_cue_rate = Gauge(
            "heardback_reading_cue_rate",
            "Share of a window with a cue.",
            ["source", "window", "cue"],
            registry=r,
        )
        self.reading_stability = Gauge(
            "heardback_reading_stability",
            "Population stability index of sentiment scores, current window against reference.",
            ["source"],
            registry=r,
        )
        self.model_in_force = Gauge(
            "heardback_model_in_force", "1 for the model that reads.", ["name", "revision"], registry=r
        )
        self.model_changes = Counter(
            "heardback_model_changes",
            "Models put in force while running, by outcome (changed, refused).",
            ["outcome"],
            registry=r,
        )
        self.taught = Gauge(
            "heardback_taught",
            "What tenants taught: own policies (severity, taxonomy), corrections_learnt, corrections_told.",
            ["what"],
            registry=r,
        )
        self.teachings = Counter(
            "heardback_teachings",
            "Events of judgement.changed, by outcome (taken, refused).",
            ["outcome"],
            registry=r,
        )
        self.shadowed = Counter(
            "heardback_shadow_feedback",
            "Feedback for the candidate to read, by outcome (compared, failed, dropped).",
            ["outcome"],
            registry=r,
        )
        self.shadow_differs = Counter(
            "heardback_shadow_differs",
            "Compared feedback on which candidate and model in force differ, by what (label, band, cause).",
            ["what"],
            registry=r,
        )
        # Router
        self.routed = Counter("heardback_feedback_routed", "Routed feedback by team.", ["team"], registry=r)
        self.routed_by = Counter(
            "heardback_feedback_routed_by",
            "Routed feedback by what decided (rule, gate, catch_all).",
            ["by"],
            registry=r,
        )
        self.intake_to_item = Histogram(
            "heardback_intake_to_item_seconds",
            "From accepted to item committed.",
            buckets=_LATENCY,
            registry=r,
        )
        self.timer_lag = Gauge(
            "heardback_timer_lag_seconds", "How long the item longest due has waited for a look.", registry=r
        )
        self.timers = Counter(
            "heardback_timers", "Looks at an item whose timer was due, by outcome.", ["outcome"], registry=r
        )
        self.timer_entries = Counter(
            "heardback_timer_entries",
            "Entries of item logs made by timers, such as clock_warned and clock_breached.",
            ["kind"],
            registry=r,
        )
        self.loops = Counter("heardback_loops", "Loop steps by state reached.", ["state"], registry=r)
        self.messages = Counter(
            "heardback_messages",
            "Messages to customers by state reached, channel (none before one is chosen) and step.",
            ["state", "channel", "step"],
            registry=r,
        )
        self.message_lag = Gauge(
            "heardback_message_lag_seconds", "How long the message longest due has waited.", registry=r
        )
        self.mails = Counter(
            "heardback_mails", "Tries to send an e-mail, by outcome.", ["outcome"], registry=r
        )
        self.erasures = Counter(
            "heardback_erasures",
            "Erasures carried through what router composed, by outcome (done, failed: it is tried again).",
            ["outcome"],
            registry=r,
        )
        self.forgotten = Counter(
            "heardback_forgotten", "Rows forgotten by age, by what they were.", ["what"], registry=r
        )
        self.deliveries = Counter(
            "heardback_deliveries", "Webhook attempts by outcome.", ["outcome"], registry=r
        )
        self.delivery_seconds = Histogram(
            "heardback_delivery_seconds", "Time of one webhook attempt.", buckets=_LATENCY, registry=r
        )
