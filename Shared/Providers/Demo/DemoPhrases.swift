/// The sentence parts of ``DemoText``.
enum DemoPhrases {
    static let stances = [
        "yes, in small steps that can be taken back.",
        "yes, and decide now: waiting costs more than being slightly wrong.",
        "not yet; measure first, then decide within two weeks.",
        "yes, but only for the part that hurts today.",
        "no; improve what is there until a limit is reached that can be named.",
    ]
    static let qualifiers = [
        "It is the choice that is easier to undo.",
        "It asks less of a small team in its first year.",
        "It fits what the team already knows how to run.",
        "Its failures are better understood.",
        "It leaves the next decision open longer.",
    ]
    static let reasons = [
        "The cost of running it grows slower than the benefit.",
        "Most teams of this size spend their time on the product, not on operations.",
        "Failures are common knowledge and have known remedies.",
        "It can be tried on a tenth of the load before anything depends on it.",
        "People who can maintain it are easy to find.",
        "It keeps one source of truth, which makes mistakes visible early.",
        "The way back costs days, not months.",
        "Figures from the last quarter would show within a month whether it works.",
        "It removes a hand-over that causes half of the delays.",
        "It makes the common case simple and the rare case possible.",
        "The alternatives solve problems that nobody has yet.",
        "It can be explained to a newcomer in an hour.",
    ]
    static let risks = [
        "growth that comes faster than the plan assumes.",
        "knowledge that stays with one person.",
        "a migration that is put off until it is urgent.",
        "a supplier who changes prices or terms.",
        "a measure that is met while the goal is missed.",
        "security work that is postponed for features.",
        "two half-finished systems instead of one whole one.",
        "an assumption about users that nobody has checked.",
    ]
    static let steps = [
        "write down the limit at which the decision would be reviewed.",
        "build the smallest version and let three real users try it this week.",
        "measure today's cost, so that there is something to compare with.",
        "name one owner and a date for the review.",
        "rehearse the way back before going ahead.",
        "move one low-risk part and watch it for two weeks.",
        "list what must stay true, and test it every day.",
        "ask two teams who have done it what they would do differently.",
    ]
    static let concessions = [
        "the review date is now part of the decision.",
        "the first step became smaller and reversible.",
        "the cost of operations is counted, and the balance still holds.",
        "the claim about growth is now an assumption with a limit.",
        "the weakest reason was dropped and the risk moved up.",
        "the case of a team without an expert is now answered.",
    ]
    static let issues = [
        "The claim about cost has no figure behind it.",
        "It does not say what would change the decision.",
        "The main risk is named, but nobody owns it.",
        "It treats an assumption about growth as a fact.",
        "The first step can not fail, so it teaches nothing.",
        "It leaves out what happens to the data that exists.",
        "It compares with the worst version of the alternative.",
        "It ignores the time of the people who must learn it.",
        "The way back is mentioned but not described.",
    ]
    static let suggestions = [
        "Add one number that would falsify the claim.",
        "Name the limit, the owner and the date of review.",
        "Describe the way back in three steps.",
        "State what a team without an expert should do.",
        "Compare with the best version of the other choice.",
        "Split the decision: what is needed now, what can wait.",
    ]
    static let praise = [
        "names its risk and a first step that can be taken back.",
        "gives reasons that can be checked within a month.",
        "answers the criticism instead of repeating itself.",
        "asks least of the people who have to live with the decision.",
        "is the most concrete about what happens next.",
    ]
}
