# ruff: noqa: E501  (a pattern is read best on one line)
"""Cues of how the customer feels and speaks, and whether the product works."""

from heardback_scoring.domain.cues import CueRule, stems

MOOD: tuple[CueRule, ...] = (
    CueRule(
        "anger",
        0.8,
        stems(
            "furious angry anger outraged outrageous livid fuming disgusted disgusting disgrace disgraceful fed sick worst "
            "unacceptable ridiculous infuriating pissed appalling enough joke shameful shame terrible horrible horrendous "
            "hate absurd scandal scandalous pathetic insulting insult incompetent atrocious awful abysmal diabolical "
            "frustrated frustrating frustration annoyed annoying mad rubbish garbage trash useless rage seething"
        ),
        deniable=(
            r"\b(?:furious|angry|outraged|outrageous|livid|fuming|disgusted|disgusting|disgrace(?:ful)?|infuriat\w+|pissed(?: off)?|appall\w+|shameful|seething|enraged|scandal(?:ous)?|atrocious|abysmal|diabolical|horrendous)\b",
            r"\b(?:fed up|sick (?:and tired )?of|had (?:it with|enough)|enough is enough|i hate|absolute joke|what a joke|shame on you|how dare)\b",
            r"\b(?:(?:completely |totally |absolutely )?unacceptable|ridiculous|pathetic|insulting|absurd|incompetent)\b",
            r"\b(?:the |by far |absolute(?:ly)? )?worst\b(?: \w+){0,2} (?:ever|service|company|experience|app|support|bank|customer|shop|airline|provider)",
            r"\b(?:so|very|extremely|really|absolutely|beyond) (?:frustrat\w+|annoy\w+|mad|upset|terrible|horrible|awful|useless)\b",
            r"\b(?:total|absolute|complete|utter|pure) (?:garbage|rubbish|trash|crap|waste)\b",
        ),
        examples=(
            "I am absolutely furious.",
            "This is unacceptable!",
            "Fed up with your support",
            "Worst company ever.",
        ),
        counterexamples=("I'm not angry, just curious.", "Nothing ridiculous about it."),
    ),
    CueRule(
        "disappointment",
        0.8,
        stems(
            "disappointed disappointing disappointment disappoints let expected sad sadly unfortunately regret shame pity hoped "
            "underwhelming underwhelmed expect expecting expectations wish poor letdown used"
        ),
        deniable=(
            r"\b(?:disappoint\w*|underwhelm\w+|let[- ]?down|letdown|regret (?:buying|ordering|choosing|signing|it))\b",
            r"\b(?:expected|hoped for|expecting|deserve) (?:much |a lot |so much )?(?:better|more)\b",
            r"\b(?:below|not what|short of|didn't meet|did not meet|not up to)(?: \w+){0,2} (?:expectations?|i expected|we expected|standard)\b",
            r"\b(?:what a|it's a|such a|real) (?:shame|pity)\b",
            r"\b(?:used to be|was once|once was) (?:\w+ )?(?:good|great|better|excellent|the best|amazing|reliable)\b",
        ),
        examples=(
            "I'm disappointed with the fit.",
            "I expected better from you.",
            "What a shame, it used to be great.",
        ),
        counterexamples=("You did not disappoint.", "I expected a parcel."),
    ),
    CueRule(
        "confusion",
        0.75,
        stems(
            "confused confusing confuses understand unclear sense lost idea figure know misleading complicated explain meant mean"
        ),
        patterns=(
            r"\b(?:don't|do not|didn't|did not|can't|cannot|couldn't|hard to|difficult to|impossible to) (?:really |quite |fully )?(?:understand|figure (?:it |this |that )?out|follow|make sense of|know (?:what|how|where|why|which))\b",
            r"\b(?:makes?|made|making) no sense\b",
            r"\b(?:no idea|not sure|not clear|unclear|no clue) (?:what|how|why|where|which|who|if|to me|about)\b",
        ),
        deniable=(
            r"\b(?:confus(?:ed|ing|es|ion)|misleading|unclear|too complicated|overly complicated|baffl\w+)\b",
        ),
        examples=("The new menu is confusing.", "I don't understand this bill", "No idea what you mean."),
        counterexamples=("It is not confusing at all.", "I understand."),
    ),
    CueRule(
        "gratitude",
        0.9,
        stems("thank thanks thankyou thx grateful appreciate appreciated appreciative cheers kudos ty"),
        deniable=(
            r"\b(?:thank(?:s| you| u|you)|thx|ty|grateful|kudos|cheers)\b(?! (?:for nothing|to you i|a lot for (?:nothing|wasting|ruining|ignoring)|for (?:wasting|ruining|ignoring|breaking)))",
            r"\b(?:really |much |greatly |i |we )?appreciate[ds]?\b",
        ),
        examples=("Thank you so much!", "We really appreciate the quick help", "thx"),
        counterexamples=("Thanks for nothing.", "I don't appreciate being ignored."),
    ),
    CueRule(
        "not_working",
        0.8,
        stems(
            "not can't cant cannot won't wont don't dont doesn't didn't didnt isn't isnt couldn't could never longer stopped "
            "stops barely hardly unable trouble problem issue difficulty failed fails aren't wasn't weren't hasn't haven't"
        ),
        also=stems(
            "work load loading open start connect respond turn turning log login logging sign signing register registration "
            "access update updating show function verify reset charge play scan let allow pay transfer top topping withdraw "
            "accept gone going goes through"
        ),
        patterns=(
            r"\b(?:not|[a-z]+n't|never|cannot|no longer|stopped|stops|barely|hardly|isnt|doesnt|wont|cant|dont|didnt)(?: \w+){0,2} (?:work(?:s|ing|ed)?|load(?:s|ing)?|open(?:s|ing)?|start(?:s|ing)?|connect(?:s|ing)?|respond(?:s|ing)?|turn(?:ing)? on|log ?in|sign ?in|sign ?up|register|access|update|show(?:ing)?(?: up)?|function(?:ing)?|verify|reset|charge|play|scan|accept(?:ing|ed)?|go(?:ne|ing|es)? through)\b",
            r"\bwo?n't (?:let|allow)\b",
            r"\b(?:unable|can't|cannot|couldn't|could not|trouble|problems?|issues?|difficulty|failed|fails?)(?: \w+){0,3} (?:log(?:ging)?[- ]?in|login|sign(?:ing)?[- ]?(?:in|up)|register(?:ing)?|registration|connect\w*|access\w*|open\w*|pay|load\w*|verify\w*|updat\w+|transfer\w*|top(?:ping)?[- ]?up|withdraw\w*)\b",
        ),
    ),
    CueRule(
        "not_working",
        0.8,
        stems(
            "broken broke crash freeze freezes freezing frozen froze glitch bug bugs buggy faulty defective malfunction "
            "unusable unresponsive error dead swallowed outage down offline order stuck declined rejected denied reverted "
            "blocked locked failing failed fails disconnected unavailable "
            "wrong declining decline reject problem issue trouble"
        ),
        deniable=(
            r"\b(?:broken|broke down|crash(?:es|ed|ing)?|freez(?:es|ing|e)|frozen|froze|glitch(?:y|es)?|bug(?:s|gy)?|faulty|defective|malfunction\w*|unusable|unresponsive|error(?:s)?(?: (?:message|code|\d+))?|went dead|swallowed|outage)\b",
            r"\b(?:is|are|was|were|been|went|got|getting|keeps?|kept|being) (?:\w+ )?(?:down|offline|stuck|declined|rejected|blocked|locked(?: out)?|failing|disconnect(?:ed|ing)|unavailable|dead|out of order)\b",
            r"\b(?:payment|transfer|transaction|top[- ]?up|withdrawal|card|login|update|installation|order|purchase|delivery)s?(?: \w+){0,3} (?:failed|fails|failing|declined|rejected|denied|reverted|blocked)\b",
            r"\b(?:something|what|anything)(?: is|'s)? (?:went |gone )?wrong with\b",
            r"\bfailed (?:to|again|every)\b",
            r"\b(?:declin|reject)(?:e|ed|es|ing)\b",
            r"\b(?:problem|issue|trouble)s? (?:with|in) (?:my|the|your|our) (?:\w+ ){0,2}(?:app|website|site|card|login|password|account|software|phone|device|system|registration|connection|internet)\b",
        ),
        examples=(
            "The app crashes every time I open it.",
            "My card doesn’t work",
            "I cannot log in since the update",
            "The site is down again.",
        ),
        counterexamples=("It works perfectly.", "I have never had a crash."),
    ),
    CueRule(
        "abusive",
        0.85,
        stems(
            "idiot idiots moron morons stupid fuck fucking fucked fucker shit bullshit bastard bastards asshole assholes bitch "
            "scum scumbag scumbags crooks thieves liars liar dumb cunt dick arse retard retards wanker wankers fuckers die "
            "shitty crap dumbass clowns clown wtf stfu"
        ),
        deniable=(
            r"\b(?:idiots?|morons?|fuck\w*|shit(?:ty|s|e)?|bullshit|bastards?|assholes?|arseholes?|bitch(?:es)?|scum(?:bags?)?|crooks|liars?|dumb(?:ass\w*)?|cunts?|retards?|wankers?|clowns?|stfu|wtf|dickheads?)\b",
            r"\b(?:you|you're|are|so|how|bunch of|pack of|these|your|this|the) (?:all |are |is |being |such )?(?:\w+ )?stupid\b",
        ),
        examples=("You are all idiots.", "what the fuck is this", "Bunch of crooks"),
        counterexamples=("Nobody is an idiot here.", "A stupidly simple setup."),
    ),
    CueRule(
        "sarcasm_suspected",
        0.5,
        stems(
            "thank thanks great oh wow yeah yes brilliant wonderful fantastic nice lovely bravo congratulations "
            "just sure good well perfect"
        ),
        also=stems(
            "nothing wasting ruining ignoring losing breaking great wonderful fantastic brilliant lovely nice sure right "
            "perfect not another guys late again broken crash crashes crashed lost ignored down wrong needed wanted"
        ),
        patterns=(
            r"\bthanks? (?:you )?(?:so much |a lot |very much )?for (?:nothing|wasting|ruining|ignoring|losing|breaking)",
            r"\b(?:oh|wow|yeah)[ ,]+(?:great|wonderful|fantastic|brilliant|lovely|nice|sure|right|perfect)\b",
            r"\b(?:great|wonderful|fantastic|brilliant|lovely|nice|good) (?:job|work|service),? (?:\w+ ){0,3}(?:losing|breaking|ignoring|ruining|wasting|not|another|guys\W*$)",
            r"\b(?:great|brilliant|wonderful|fantastic|lovely|bravo|congratulations|congrats|well done)\b[^.!?]{0,40}\b(?:late|again|broken|crash\w*|lost|ignored|down|wrong|another (?:delay|bug|error|week))\b",
            r"\bjust what i (?:needed|wanted)\b[^?]{0,40}(?:\.\.\.|another|again|!)",
            r"\b(?:yeah|sure|yes),? right\b",
        ),
        examples=(
            "Thanks for nothing!",
            "Oh great, the app is down again.",
            "Brilliant, another parcel lost.",
            "Yeah right",
        ),
        counterexamples=("Great service, thank you.", "Oh, I see."),
    ),
)
