// The register of a pair: who may run the guest alone. It lives behind the witness; every change of it is a
// compare-and-set to generation + 1, and whoever reads a newer generation obeys it.

/** Random at the start of a side's life, never a name, never from disk. 32 hex digits. */
export type Incarnation = string

/** Raised at each change of who may run alone: the fencing token. */
export type Generation = number

/** The number of the interval that a checkpoint ends. */
export type Epoch = number

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
  readonly generation: Generation
  readonly holder: Holder
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
