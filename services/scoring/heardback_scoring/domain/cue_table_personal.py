# ruff: noqa: E501  (a pattern is read best on one line)
"""Cue patterns for English: the customer is uneasy about how we address them, or how much we seem to know."""

from heardback_scoring.domain.cues import CueRule, stems

_WRITING = (
    r"(?:messages?|e-?mails?|mails?|texts?|letters?|notes?|repl(?:y|ies)|answers?|calls?|offers?|surveys?|updates?|"
    r"reminders?|notifications?|suggestions?|recommendations?|ads?|follow-?ups?|contacts?)"
)
_MACHINE = (
    r"(?:machines?|computers?|programs?|algorithms?|robots?|bots?|chatbots?|ai|software|systems?|automat\w+)"
)
_UNEASY = (
    r"(?:creep(?:y|ed|s|ing)(?: me out)?|gives me the creeps|unsettl\w+|unnerv\w+|eerie|spooky|stalker\w*|stalk\w+|"
    r"disturb\w+|intrusive|invasive|weird|uncomfortable|uneasy|disconcert\w+|scary|scares me|freak\w*(?: me)? out)"
)
_KNOWING = r"(?:know|knows|knew|known|remember(?:s|ed)?|keep track|kept track|have on me|figured out|worked out|guess(?:ed)?)"
_PRIVATE = (
    r"(?:divorce|illness|pregnan\w+|diagnosis|health|miscarriage|bereavement|loss|grief|husband|wife|mother|father|son|"
    r"daughter|children|kids|family|religion|salary|debts?|birthday|age|weight|medication|treatment|private life|"
    r"personal life|habits|mood|feelings)"
)

PERSONAL = (
    CueRule(
        "too_personal",
        0.8,
        stems(
            "personal personalised personalized personalising personalisation familiar intimate close private creepy creeps creeped unsettling unnerving eerie spooky "
            "stalker stalking intrusive invasive weird uncomfortable uneasy watched watching profiled profiling analysed analyzed analysing monitored followed spied surveillance big "
            "know knows knew remember remembers machine computer algorithm robot bot software automated business alone uninvited prying snooping personally scary freaked disturbing"
        ),
        deniable=(
            # How it is written.
            r"\b(?:too|far too|way too|overly|uncomfortably|unnervingly|disturbingly|weirdly|strangely|oddly|creepily) (?:personal|familiar|intimate|close for comfort|chummy|personali[sz]ed|targeted)\b",
            rf"\b{_UNEASY}\b[^.!?]{{0,60}}\b(?:your|these|those|this|that|the|such|automated|automatic|personali[sz]ed) (?:\w+ ){{0,2}}{_WRITING}\b",
            rf"\b(?:your|these|those|this|that|the|automated|automatic|personali[sz]ed) (?:\w+ ){{0,3}}{_WRITING}\b[^.!?]{{0,60}}\b{_UNEASY}\b",
            # How much is known.
            rf"\b{_UNEASY}\b[^.!?]{{0,50}}\b(?:you|your \w+|it|they|{_MACHINE}) (?:\w+ ){{0,2}}{_KNOWING}\b",
            rf"\b(?:you|your \w+|it|they|{_MACHINE}) (?:\w+ ){{0,2}}{_KNOWING} (?:far |way )?(?:too|so|that|this) much (?:about|of) (?:me|us|my|our)\b",
            rf"\b{_KNOWING} more about (?:me|us|my \w+) than\b",
            r"\b(?:how|why) (?:do|does|did|would|could|on earth do|the hell do) (?:you|your \w+|it|they)(?: even| already)? (?:know|have|remember|find out|learn)(?: about)? (?:that i|about me|about my|i am|i'm|i was|i have|i had|my|what i|where i|when i|who i)\b",
            rf"\b(?:how|why) (?:do|does|did|would|should)(?: \w+){{1,9}} {_KNOWING} (?:that )?(?:i'm|i am|i was|i have|i had|my {_PRIVATE})\b",
            r"\b(?:intrusive|invasive|creepy|unsettling|unnerving|uncomfortable|weird)\b[^.!?]{0,20}\b(?:when|that|how) you (?:\w+ )?(?:follow up|ask\w*|write|wrote|mention\w*|comment\w*|address\w*|know|remember\w*|use\w*)\b",
            r"\b(?:exposed|violated|naked|laid bare)\b[^.!?]{0,40}\b(?:you|your)(?: \w+){0,3} (?:wrote|write|said|messages?|e-?mails?|texts?|letters?|knew|know)\b",
            # What is asked for.
            r"\b(?:stop|quit|no more|don't want (?:any )?(?:more )?|do not want (?:any )?(?:more )?|without|less|enough of|enough with|spare me)(?: \w+){0,3} personali[sz]\w+\b",
            r"\b(?:stop|quit|do not|don't|please don't|never)(?: \w+)? (?:personali[sz]e|personali[sz]ing|profile|profiling|analy[sz]e|analy[sz]ing|psychoanaly[sz]e|psychoanaly[sz]ing|monitoring|monitor|watching|following|studying) (?:me|us|my|our|what i|how i|every)\b",
            rf"\b(?:(?:don't|do not|never) (?:want|need|like|wish|agreed?|consent(?:ed)?|trust)|rather not have|rather you didn't let)(?: \w+){{0,4}} {_MACHINE} (?:\w+ ){{0,2}}(?:read|reads|reading|judge|judges|judging|analy[sz]\w+|decid\w+|writ\w+|contact\w+|guess\w+|know\w*|go\w* through|profil\w+)\b",
            rf"\bstop using my {_PRIVATE}\b",
            r"\bleave me (?:alone|be|in peace)\b",
            # What it feels like.
            r"\b(?:feel|feels|felt|feeling|like|am|being|be)(?: \w+){0,2} (?:watched|spied on|profiled|monitored|followed|stalked|surveilled|analy[sz]ed|studied|snooped on|under surveillance)\b",
            r"\b(?:spying|prying|snooping|prob(?:e|ing)|digging|poking)(?: around)? (?:in|into|through|on) (?:my|our|me|us)\b",
            r"\bbig brother(?! of\b| model\b| version\b)\b",
            r"\b(?:none of your|not your|isn't your|is not your|mind your own) (?:damn |bloody |\w+ )?(?:business|concern)\b",
            rf"\b(?:bring|brings|bringing|brought|mention|mentions|mentioning|mentioned|raise|raised|comment\w*|refer\w*|remind\w*|congratulat\w+|ask\w*)(?: \w+){{0,4}} my {_PRIVATE}\b[^.!?]{{0,60}}\b(?:uncomfortable|inappropriate|private|personal|unwelcome|none of|no right|out of line|tactless|offensive|crossed|hurtful|intrusive|too far)\b",
            rf"\b(?:uncomfortable|inappropriate|unwelcome|no right|out of line|tactless|crossed (?:a|the) line|too far|intrusive|private)\b[^.!?]{{0,60}}\b(?:bring|brings|bringing|brought|mention\w*|raise|raised|comment\w*|refer\w*|remind\w*|congratulat\w+|ask\w*)(?: \w+){{0,4}} my {_PRIVATE}\b",
        ),
        examples=(
            "Your last message was far too personal for my taste.",
            "It is creepy how much your emails know about my family.",
            "Please stop personalising what you send me.",
            "I don't want a computer reading what I feel.",
            "I feel watched by these automated messages.",
            "How do you know that I am divorced?",
            "My health is none of your business.",
            "Just leave me alone.",
        ),
        counterexamples=(
            "The service was personal and friendly.",
            "The letter was not too personal at all.",
            "I don't feel watched in your shop.",
            "I know so much more about my car now.",
            "The mattress is uncomfortable.",
            "The driver followed me to the door.",
        ),
    ),
)
