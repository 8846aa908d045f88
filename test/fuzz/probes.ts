// What the probes in instrumented code do: they count branches, add up what is allocated, and, while an input is
// looked at closely, note which two values were compared. Instrumented code finds them at globalThis.__probes.

export type Compared = number | bigint | string

export interface Pair {
  readonly seen: Compared
  readonly due: Compared
}

const PAIRS_MAX = 512
const KEYS_MAX = 64
const SMALL = 256

export class Probes {
  /** How often each branch was taken. */
  readonly c: Uint32Array
  /** Elements of typed arrays and buffers that were made. */
  allocated = 0
  #isNoting = false
  readonly #pairs = new Map<string, Pair>()

  constructor(branches: number) {
    this.c = new Uint32Array(branches)
  }

  /** Forgets the run before. */
  begin(isNoting: boolean): void {
    this.c.fill(0)
    this.allocated = 0
    this.#isNoting = isNoting
    this.#pairs.clear()
  }

  get pairs(): Pair[] {
    return [...this.#pairs.values()]
  }

  /** The names that instrumented code takes. */
  get names(): Readonly<Record<string, unknown>> {
    const note = (left: unknown, right: unknown) => {
      if (this.#isNoting) this.#note(left, right)
    }
    let on: unknown
    return {
      c: this.c,
      eq: (a: unknown, b: unknown) => (note(a, b), a === b),
      ne: (a: unknown, b: unknown) => (note(a, b), a !== b),
      lt: (a: number, b: number) => (note(a, b), a < b),
      le: (a: number, b: number) => (note(a, b), a <= b),
      gt: (a: number, b: number) => (note(a, b), a > b),
      ge: (a: number, b: number) => (note(a, b), a >= b),
      get: (map: Map<unknown, unknown>, key: unknown) => (this.#look(map, key), map.get(key)),
      has: (map: Set<unknown>, key: unknown) => (this.#look(map, key), map.has(key)),
      on: (value: unknown) => (on = value),
      is: (value: unknown) => (note(on, value), value),
      size: (size: unknown) => {
        if (typeof size === 'number') this.allocated += size
        else if (ArrayBuffer.isView(size)) this.allocated += size.byteLength
        return size
      },
    }
  }

  #look(map: unknown, key: unknown): void {
    if (!this.#isNoting || !(map instanceof Map || map instanceof Set)) return
    if (map.has(key)) return
    let left = KEYS_MAX
    for (const one of map.keys()) {
      if (left-- === 0) return
      this.#note(key, one)
    }
  }

  #note(left: unknown, right: unknown): void {
    if (left === right || typeof left !== typeof right || this.#pairs.size >= PAIRS_MAX) return
    if (!isCompared(left) || !isCompared(right)) return
    this.#add(left, right)
    this.#add(right, left)
  }

  #add(seen: Compared, due: Compared): void {
    // What is found everywhere leads nowhere.
    if (typeof seen === 'number' && seen < SMALL && typeof due === 'number' && due < SMALL) return
    if (seen === '') return
    this.#pairs.set(`${typeof seen} ${seen} ${due}`, { seen, due })
  }
}

function isCompared(value: unknown): value is Compared {
  if (typeof value === 'number') return Number.isInteger(value)
  return typeof value === 'bigint' || (typeof value === 'string' && value.length <= 64)
}
