// Every instruction that reads or writes memory at an address, as the rewriter's own table has it, in groups
// from which a made-up body picks.

import { type Effect, type Immediates, OPERATIONS } from '../../formats/wasm/operations.ts'

type Access = Effect & { readonly kind: 'access' }

export interface AccessOperation {
  readonly opcode: readonly number[]
  readonly immediates: Immediates
  readonly isAtomic: boolean
  readonly access: Access
}

function opcodeOf(code: number): number[] {
  if (code < 0x1000) return [code]
  const sub = code % 0x1000
  return [Math.floor(code / 0x1000), ...(sub < 0x80 ? [sub] : [(sub & 0x7f) | 0x80, sub >> 7])]
}

const ACCESSES: readonly AccessOperation[] = [...OPERATIONS].flatMap(
  ([code, { immediates, effect }]) => {
    if (effect?.kind !== 'access') return []
    const opcode = opcodeOf(code)
    return [{ opcode, immediates, isAtomic: opcode[0] === 0xfe, access: effect }]
  },
)

const groupOf = (prefix: number | undefined, writes: boolean) =>
  ACCESSES.filter(
    ({ opcode, access }) =>
      access.writes === writes && (opcode.length > 1 ? opcode[0] : undefined) === prefix,
  )

const LANE_STORES = groupOf(0xfd, true).filter(({ immediates }) => immediates === 'memarg lane')
/** Picked with equal chance, so that the many atomic operations do not crowd out the rest. */
export const WRITES = [
  groupOf(undefined, true),
  groupOf(0xfd, true),
  groupOf(0xfe, true),
  LANE_STORES,
] as const
export const READS = [
  groupOf(undefined, false),
  groupOf(0xfd, false),
  groupOf(0xfe, false).filter(({ access }) => access.operands.length < 2),
] as const
/** They only trap in memory that is not shared. */
export const WAITS = groupOf(0xfe, false).filter(({ access }) => access.operands.length === 2)
