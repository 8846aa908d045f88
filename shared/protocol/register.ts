// The register of a pair: who may run the guest alone. It lives behind the witness. Every change of it is a
// compare-and-set from the very register that the writer knows, and a side obeys a register only if it is
// newer, which means: of the same pair, of a higher generation, and grown from what this side knows. A
// generation number alone is no identity: a store that was put back to an older copy grows the same numbers
// again with other content. (The counter-examples are in docs/protocol.md, "Failover".)

/** Random at the start of a side's life, never a name, never from disk. 32 hex digits. */
export type Incarnation = string

/** Raised at each change of who may run alone: the fencing token. */
export type Generation = number

/** The number of the interval that a checkpoint ends. */
export type Epoch = number

/** Random, made when the pair is founded. 32 hex digits; empty while a side has seen no register. */
export type PairId = string

/** Random, one a change of the register. 32 hex digits. */
export type Nonce = string

export type Holder =
  | { readonly kind: 'alone'; readonly owner: Incarnation }
  | {
      readonly kind: 'pair'
      readonly primary: Incarnation
      readonly secondary: Incarnation
      readonly session: number
    }
  | { readonly kind: 'stopped' }

export interface Register {
  readonly pair: PairId
  readonly generation: Generation
  readonly nonce: Nonce
  /** The nonces before this one, the newest last; at most EARLIER_MAX. */
  readonly earlier: readonly Nonce[]
  /** The generation at which a guest last began cold: a state from before it is given up. */
  readonly coldSince: Generation
  readonly holder: Holder
}

/** A register without its content: what a side remembers of the newest one that it has seen. */
export interface RegisterId {
  readonly pair: PairId
  readonly generation: Generation
  readonly nonce: Nonce
}

/** How many nonces a register remembers. A side that holds a state and missed more changes needs an operator. */
export const EARLIER_MAX = 64

/** What a register that was read is to a side that knows another one. */
export const STANDINGS = {
  same: 'the register that this side knows',
  newer: 'of a higher generation, and grown from what this side knows',
  missing: 'the register is missing',
  foreign: 'the register belongs to another pair',
  older: 'the register is older than what this side has seen',
  twin: 'the register has the generation that this side knows, with other content',
  'other-line':
    'the register is of a higher generation, but did not grow from what this side knows',
} as const

export type Standing = keyof typeof STANDINGS

/**
 * `known` is undefined for a side that has seen nothing. A side that holds no state has nothing to lose by
 * obeying, so for it any higher generation of its pair is newer.
 */
export function standingOf(
  register: Register | undefined,
  known: RegisterId | undefined,
  holdsState: boolean,
): Standing {
  if (register === undefined) return 'missing'
  if (known === undefined) return 'newer'
  if (register.pair !== known.pair) return 'foreign'
  if (register.nonce === known.nonce) return 'same'
  if (register.generation < known.generation) return 'older'
  if (register.generation === known.generation) return 'twin'
  return !holdsState || register.earlier.includes(known.nonce) ? 'newer' : 'other-line'
}

/** Only these are obeyed; after any other the witness counts as unreachable. */
export function isTrusted(standing: Standing): boolean {
  return standing === 'same' || standing === 'newer'
}

/** The first register of a pair. */
export function firstRegister(pair: PairId, nonce: Nonce, holder: Holder): Register {
  return { pair, generation: 1, nonce, earlier: [], coldSince: 1, holder }
}

/** The change of `from` to `holder`. `cold`: a guest begins anew with it. */
export function nextRegister(from: Register, nonce: Nonce, holder: Holder, cold = false): Register {
  const generation = from.generation + 1
  return {
    pair: from.pair,
    generation,
    nonce,
    earlier: withEarlier(from.earlier, from.nonce),
    coldSince: cold ? generation : from.coldSince,
    holder,
  }
}

/**
 * Continues the line of `known` on a store that shows `shown` instead: an older copy, another line or nothing.
 * The generation is above both, so that neither line can pass for it. It grows from `known` alone: a side that
 * knows the other line keeps its state.
 */
export function replacement(
  known: Register,
  shown: Register | undefined,
  nonce: Nonce,
  holder: Holder,
): Register {
  return {
    pair: known.pair,
    generation: Math.max(known.generation, shown?.generation ?? 0) + 1,
    nonce,
    earlier: withEarlier(known.earlier, known.nonce),
    coldSince: known.coldSince,
    holder,
  }
}

/** A guest begins cold where the register of the pair is gone for good: the pair keeps its id, so that of two writers one wins. */
export function coldReplacement(seen: RegisterId, nonce: Nonce, holder: Holder): Register {
  const generation = seen.generation + 1
  return {
    pair: seen.pair,
    generation,
    nonce,
    earlier: [seen.nonce],
    coldSince: generation,
    holder,
  }
}

function withEarlier(earlier: readonly Nonce[], nonce: Nonce): readonly Nonce[] {
  return [...earlier, nonce].slice(-EARLIER_MAX)
}

export function sameHolder(a: Holder, b: Holder): boolean {
  if (a.kind === 'alone') return b.kind === 'alone' && a.owner === b.owner
  if (a.kind === 'stopped') return b.kind === 'stopped'
  return (
    b.kind === 'pair' &&
    a.primary === b.primary &&
    a.secondary === b.secondary &&
    a.session === b.session
  )
}

/** As an operator reads it: `alone(3f2a)`, `pair(3f2a, 90cc, 2)`, `stopped`. */
export function describeHolder(holder: Holder): string {
  if (holder.kind === 'alone') return `alone(${holder.owner.slice(0, 4)})`
  if (holder.kind === 'stopped') return 'stopped'
  const { primary, secondary, session } = holder
  return `pair(${primary.slice(0, 4)}, ${secondary.slice(0, 4)}, ${session})`
}

/** `alone(3f2a) at generation 3`, or that there is none. */
export function describeRegister(register: Register | undefined): string {
  if (register === undefined) return 'no register'
  return `${describeHolder(register.holder)} at generation ${register.generation}`
}
