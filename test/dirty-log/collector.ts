// How a host finds the dirty pages, written to be read: what the keeper of the guest does fast must give the
// same. Docs/dirty-log.md describes it.

export const PAGE_BYTES = 4096
/** A store is of 16 bytes at most, so one that begins in the page before reaches at most so far. */
const STRADDLE_BYTES = 15

export interface CollectOptions {
  /** Off only in the test that shows that it is needed. */
  readonly looksForStraddles?: boolean
}

function begins(ram: Uint8Array, shadow: Uint8Array, page: number): boolean {
  const from = page * PAGE_BYTES
  for (let at = from; at < from + STRADDLE_BYTES; at++) if (ram[at] !== shadow[at]) return true
  return false
}

/**
 * The pages written since this was called last, ascending, and clears the marks. `table` has a byte a page,
 * `ram` is the guest's memory without the table, `shadow` (as long) what it was.
 */
export function collect(
  table: Uint8Array,
  ram: Uint8Array,
  shadow: Uint8Array,
  { looksForStraddles = true }: CollectOptions = {},
): number[] {
  const pages = ram.length / PAGE_BYTES
  const dirty: number[] = []
  let wasMarked = false
  for (let page = 0; page < pages; page++) {
    const isMarked = table[page] !== 0
    const isReached = looksForStraddles && wasMarked && begins(ram, shadow, page)
    if (isMarked || isReached) dirty.push(page)
    wasMarked = isMarked
  }
  table.fill(0)
  return dirty
}
