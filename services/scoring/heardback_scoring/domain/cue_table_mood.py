# ruff: noqa: E501  (a pattern is read best on one line)
"""Cues of how the customer feels and speaks."""

from heardback_scoring.domain.cues import CueRule, stems

MOOD: tuple[CueRule, ...] = (
    CueRule(
        "anger",
        0.85,  # 47 of 50 in app reviews and survey remarks, read once, quickly; 0.44 of 825 forum comments, whose labels are strict
        stems(
            "furious angry anger outraged outrageous livid fuming disgusted disgusting disgrace disgraceful fed sick worst "
            "unacceptable ridiculous infuriating pissed appalling enough joke shameful shame terrible horrible horrendous "
            "hate absurd scandal scandalous pathetic insulting insult incompetent atrocious awful abysmal diabolical "
            "frustrated frustrating frustration annoyed annoying mad rubbish garbage trash useless rage seething irritated irritating "
            "waste wasted wasting shocking nonsense disrespectful crap fuming ashamed"
        ),
        deniable=(
            r"\b(?:furious|angry|outraged|outrageous|livid|fuming|disgusted|disgusting|disgrace(?:ful)?|infuriat\w+|pissed(?: off)?|appall\w+|shameful|seething|enraged|scandal(?:ous)?|atrocious|abysmal|diabolical|horrendous)\b",
            r"\b(?:fed up|sick (?:and tired )?of|sick and tired|had it with|had enough(?! (?:\w+ )?to )|enough is enough|i (?:\w+ )?hate (?:this|your|you|the|it|that|these|when|how|them)|should be ashamed|absolute joke|what a joke|shame on you|how dare)\b",
            r"\b(?:(?:completely |totally |absolutely )?unacceptable|ridiculous|pathetic|insulting|absurd|incompetent)\b",
            r"\b(?:the |by far |absolute(?:ly)? )?worst\b(?: \w+){0,2} (?:ever|service|company|experience|app|support|bank|customer|shop|airline|provider|delivery|product|quality|update|website|site|people|i(?:'ve| have))\b(?! (?:case|thing is not))",
            r"\b(?:frustrat(?:ed|ing|es|ion)|annoy(?:ed|s|ing|ance)|irritat(?:ed|ing|es)|exasperat\w+|aggravat\w+)\b",
            r"\b(?:terrible|horrible|horrendous|awful|disgraceful|shocking|abysmal|appalling) (?:\w+ )?(?:service|company|experience|support|app|attitude|behaviou?r|treatment|customer|bank|provider|people|communication)\b",
            r"\bwast(?:e|ed|ing) (?:of )?(?:my |our |so much |everyone's )?(?:time|money)\b",
            r"\b(?:nonsense|disrespectful|a disgrace)\b",
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
        0.85,  # 49 of 50 in app reviews and survey remarks, read once, quickly; 0.47 of 197 forum comments
        stems(
            "disappointed disappointing disappointment disappoints let expected sad sadly unfortunately regret shame pity hoped "
            "underwhelming underwhelmed expect expecting expectations wish poor letdown used unhappy happy satisfied dissatisfied unsatisfied "
            "impressed unimpressed downhill worth deserve below short standard worse satisfactory unsatisfactory dissatisfying unsatisfying"
        ),
        deniable=(
            r"\b(?:disappoint\w*|underwhelm\w+|let[- ]?down|letdown|regret (?:buying|ordering|choosing|signing|it))\b",
            r"\b(?:expected|hoped for|expecting|deserve) (?:much |a lot |so much )?(?:better|more)\b",
            r"\b(?:below|not what|short of|didn't meet|did not meet|not up to)(?: \w+){0,2} (?:expectations?|i expected|we expected|standard)\b",
            r"\b(?:what a|it's a|such a|real|a great|is a) (?:shame|pity)\b",
            r"\b(?:unhappy|dissatisf\w+|unsatisf\w+|unimpressed)\b",
            r"\b(?:gone|going|went) (?:\w+ )?downhill\b",
            r"\b(?:getting|gets|got|become|gotten) (?:worse|poorer)\b",
            r"\b(?:used to be|was once|once was) (?:\w+ )?(?:good|great|better|excellent|the best|amazing|reliable)\b",
        ),
        patterns=(
            r"\b(?:not|n't|never|isn't|wasn't|aren't|hardly) (?:at all |really |very |too |so |entirely |fully |completely |that )?(?:happy|satisfied|impressed|satisfactory|worth (?:it|the|my))\b",
        ),
        examples=(
            "I am not happy with the answer.",
            "The service has gone downhill",
            "I'm disappointed with the fit.",
            "I expected better from you.",
            "What a shame, it used to be great.",
        ),
        counterexamples=("You did not disappoint.", "I expected a parcel."),
    ),
    CueRule(
        "confusion",
        0.55,  # 0.57 of 412 forum comments
        stems(
            "confused confusing confuses understand unclear sense lost idea figure know misleading complicated explain meant mean "
            "sure unsure clear clue baffled puzzled get wonder wondering supposed tell follow why"
        ),
        also=stems(
            "don't dont not didn't didnt cannot can't cant couldn't doesn't hard difficult impossible idea clue mean meant supposed "
            "sense unsure lost puzzled confusing explain clarify unclear misleading baffled complicated overly tell uncertain"
        ),
        not_after=r"\b(?:they|he|she|you|who|executives?|agents?|consultants?|peoples?|staff|team|care)\b(?: \w+)?\W*$",
        deniable=(
            r"\b(?:don't|do not|didn't|did not|can't|cannot|couldn't|hard to|difficult to|impossible to) (?:really |quite |fully )?(?:understand|figure (?:it |this |that )?out|follow|make sense of|know (?:how to|where to|what to|why|which|what (?:is|this|that|it|happened|you|they)|how (?:this|it|that)))\b(?! (?:i (?:would|'d)|do without))",
            r"\b(?:i|we) (?:don't|do not|didn't|dont) (?:really |quite )?get (?:it|this|that|why|what|how)\b",
            r"\bwhat (?:do|does|did|is) (?:you|this|that|it|all)(?: \w+){0,4} (?:mean|meant|even mean|supposed to mean)\b",
            r"\b(?:how|what|where) am i supposed to\b",
            r"\b(?:i'm|i am|we're|am|got|feel) (?:\w+ )?(?:lost(?! (?:my|the|a|for words|without))|puzzled|confused)\b",
            r"\b(?:doesn't|does not|didn't|don't) (?:\w+ )?make (?:any |much |a lot of )?sense\b",
            r"\b(?:i'm|i am|we are|we're|am) (?:\w+ )?(?:not sure|unsure|uncertain) (?:\w+ )?(?:what|how|why|where|which|if|whether|about)\b",
            r"\bcan (?:you|someone|anyone|somebody) (?:please )?(?:explain|clarify|tell me (?:why|what))\b",
            r"\b(?:makes?|made|making) no sense\b",
            r"\b(?:no idea|not clear|unclear|no clue|unsure) (?:what|how|why|where|which|who|if|to me|about)\b",
            r"\b(?:confus(?:ed|ing|es|ion)|misleading|unclear|too complicated|overly complicated|baffl\w+)\b",
        ),
        examples=("It is all very confusing.", "I don't understand this bill", "No idea what you mean."),
        counterexamples=(
            "It is not confusing at all.",
            "I understand.",
            "They don't understand the problem.",
        ),
    ),
    CueRule(
        "gratitude",
        0.9,  # 0.90 of 2455 forum comments
        stems(
            "thank thanks thankyou thankful thx grateful appreciate appreciated appreciative cheers kudos ty bless tysm"
        ),
        deniable=(
            r"\b(?:thank(?:s| you| u| ya|you)|thx|ty|tysm|grateful|thankful|kudos|cheers)\b(?! (?:god|goodness|to god|heavens?|for nothing|to you i|a lot for (?:nothing|wasting|ruining|ignoring)|for (?:wasting|ruining|ignoring|breaking)))",
            r"\b(?:really |much |greatly |i |we )?appreciate[ds]?\b(?! (?:in (?:value|price)|it if|if you))",
            r"\b(?:god )?bless (?:you|her|him|them)\b",
            r"\bthank (?:the|your) (?:\w+ )?(?:team|staff|agent|support|people|service)",
        ),
        examples=("Thank you so much!", "We really appreciate the quick help", "thx"),
        counterexamples=("Thanks for nothing.", "I don't appreciate being ignored."),
    ),
    CueRule(
        "abusive",
        0.85,  # 0.87 of 1115 tweets
        stems(
            "idiot idiots moron morons stupid fuck fucking fucked fucker shit bullshit bastard bastards asshole assholes bitch "
            "scum scumbag scumbags crooks thieves liars liar dumb cunt dick arse retard retards wanker wankers fuckers die "
            "shitty crap dumbass clowns clown wtf stfu f*ck sh*t loser losers jerk jerks imbecile imbeciles fool fools screw hell shut piece "
            "parasites rats pigs scumbags twat twats prick pricks jackass dipshit motherfucker motherfuckers mfs ass ugly cheats f s b cheater "
            "cheaters thief crook swindlers garbage bunch pack"
        ),
        deniable=(
            r"\b(?:idiots?|morons?|fuck\w*|shit(?:ty|s|e)?|bullshit|bastards?|assholes?|arseholes?|bitch(?:es)?|scum(?:bags?)?|crooks|liars?|dumb(?:ass\w*)?|cunts?|retards?|wankers?|clowns?|stfu|wtf|dickheads?|imbeciles?|jackass\w*|dipshits?|motherfuck\w*|twats?|pricks?|losers|jerks?|swindlers|ass(?:hat|wipe|clown)s?|dumb-?ass)\b",
            r"\bf[*#@]+(?:c?k|ck|king|ing)?\b|\bs[*#@]+t\b|\bf[*]+",
            r"\b(?:piece|pieces|load|sack) of (?:shit|crap|garbage|trash|sh)\b",
            r"\b(?:screw (?:you|them|this)|go to hell|shut (?:the \w+ )?up|kiss my|burn in hell|rot in hell|you suck|up yours)\b",
            r"\b(?:bunch|pack|gang|load) of (?:\w+ )?(?:liars?|thie\w+|cheats?|cheaters?|crooks?|criminals?|fools|scammers|rats|monkeys|amateurs|clowns|incompetents?)\b",
            r"\byou (?:are |all |people |guys )*(?:liars?|thieves|cheaters?|crooks?|criminals?|fools?|pathetic|disgusting|scum)\b",
            r"\b(?:you|you're|are|so|how|bunch of|pack of|these|your|this|the) (?:all |are |is |being |such )?(?:\w+ )?stupid\b",
        ),
        examples=("You are all idiots.", "what the fuck is this", "Bunch of crooks"),
        counterexamples=("Nobody is an idiot here.", "A stupidly simple setup."),
    ),
    CueRule(
        "sarcasm_suspected",
        0.6,  # 9 of 10 tweets, too few; and half of those tweets are ironic anyway
        stems(
            "thank thanks great oh wow yeah yes brilliant wonderful fantastic lovely bravo congratulations congrats gotta nice "
            "just sure good well perfect love surprise surprising shock shocker much kind clap awesome excellent amazing how joy genius"
        ),
        also=stems(
            "nothing wasting ruining ignoring losing breaking great wonderful fantastic brilliant lovely nice sure right joy "
            "perfect not another guys late again broken crash crashes crashed lost ignored down wrong needed wanted surprise shock shocker "
            "much love clap waiting paying charged hours"
        ),
        patterns=(
            r"\bthanks? (?:you )?(?:so much |a lot |very much |a bunch )?for (?:nothing|wasting|ruining|ignoring|losing|breaking|making me (?:wait|late)|not)\b",
            r"\boh[ ,]+(?:great|wonderful|fantastic|brilliant|lovely|joy|perfect|goody)\b[,.! ]+(?:another|now|so|the|it|my|again|just|more|one|and now|$)",
            r"\b(?:great|wonderful|fantastic|brilliant|lovely|nice|good) (?:job|work|service),? (?:losing|breaking|ignoring|ruining|wasting|not|messing|on (?:losing|breaking))\b",
            r"\b(?:great|brilliant|wonderful|fantastic|lovely|bravo|congratulations|congrats|well done|awesome|perfect|excellent|just great|genius)[,.!]+ ?(?:now |so |and |yet |my |the |your |it |it's |is |was |i |app |on |for )*(?:another|again|late|broken|crash\w*|lost|ignored|down|wrong|still (?:no|not|waiting)|losing|breaking)\b",
            r"\b(?:great|brilliant|wonderful|fantastic|lovely)[,!] (?:\w+ ){0,6}(?:again|broken|lost|crash\w*|down again|late again|wrong again)\b",
            r"\bjust what i (?:needed|wanted)\b[^?]{0,40}(?:\.\.\.|another|again|!)",
            r"\b(?:yeah|sure|yes|ya),? right\b(?! (?:enough|now|away|there|here|up))",
            r"\b(?:gotta|got to|you have to|don't you just|don't you) love (?:it )?(?:when|how|waiting|paying|a|the|these|being|that)\b",
            r"\bi (?:just |really |so )?love (?:being|waiting|paying|getting|having to|when)\b[^.!?]{0,40}\b(?:hold|hours|charged|ignored|wait|waiting|twice|extra|nothing|broken|lost|again|fail\w*|crash\w*|cancell?ed)\b",
            r"\b(?:what a|such a|well that's a|colou?r me) (?:surprise|shock|shocker|surprised|shocked)\b",
            r"(?:^|[.!?,] ?|\bwell )so much for\b",
            r"\bslow clap\b",
            r"\bhow (?:very )?(?:nice|kind|lovely|generous|thoughtful|wonderful|convenient) of (?:you|them)\b",
        ),
        examples=(
            "Thanks for nothing!",
            "Oh great, the app is down again.",
            "Brilliant, another parcel lost.",
            "Yeah right",
            "So much for next-day delivery",
            "Gotta love waiting an hour for a bot",
        ),
        counterexamples=(
            "Great service, thank you.",
            "Oh, I see.",
            "It is great again.",
            "Great app, would use again.",
            "Good work guys",
        ),
    ),
)
