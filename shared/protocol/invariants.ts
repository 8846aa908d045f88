// The five rules that must hold always. Production code asserts them where it can see them, the simulator
// checks them from outside, and both name them by these keys.

export const RULES = {
  'output-commit':
    'output of epoch N leaves only when checkpoint N is committed on the secondary, or when this side is the standalone owner',
  'whole-checkpoints':
    'a checkpoint is staged whole and committed at CHECKPOINT_END, or discarded; never half applied, never dropped once committed',
  'one-server': 'never two guests serving in the same pair',
  'only-forward':
    'epochs and generations only grow; a message of an older one, or of a closed session, changes nothing',
  'named-deadlines':
    'every wait has a named deadline, and something defined happens when it passes',
} as const

export type RuleName = keyof typeof RULES

export class InvariantViolation extends Error {
  readonly rule: RuleName

  constructor(rule: RuleName, what: string) {
    super(`${rule}: ${what} (rule: ${RULES[rule]})`)
    this.name = 'InvariantViolation'
    this.rule = rule
  }
}

export function invariant(holds: boolean, rule: RuleName, what: string): asserts holds {
  if (!holds) throw new InvariantViolation(rule, what)
}
