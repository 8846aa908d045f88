// Random commands for the key-value guest and for a redis-server: few keys, so that they collide, all options, and
// all ways to get a command wrong. What the two are known to answer differently is left out; kv-differences.ts lists
// it.

export type Chance = (below: number) => number

/** A small random number generator, so that a failing run fails again. */
export function chanceFrom(seed: number): Chance {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

export const KEYS = ['a', 'b', 'c', 'd', 'e', '', 'a longer key, of some bytes', 'k\r\n\0\xff']
const NUMBERS = ['0', '1', '-1', '7', '100', '9223372036854775807', '-9223372036854775808']
const NO_NUMBERS = ['', ' 1', '1 ', '01', '+1', '-0', '1.5', '1e3', 'x', '9223372036854775808']
const TEXTS = ['', 'v', 'value', 'a\r\nb', '\0', 'x'.repeat(300), ...NO_NUMBERS]
const MIGHTY = ['9223372036854775', '-9223372036854775', '9223372036854776', '-9223372036854776']
/** Never a short time from now: see kv-compare.ts for what really expires. */
const PAST = ['0', '-1', '-100', '9223372036854775807', '-9223372036854775808']
const CONDITIONS = ['NX', 'XX', 'GT', 'LT']
/** Far enough that no key expires while a run goes on, and no two of them the same. */
const TTL_STEP_S = 100
const TTL_STEPS = 99_991

export class RandomCommands {
  readonly chance: Chance
  #ttls = 0

  constructor(seed: number) {
    this.chance = chanceFrom(seed)
  }

  pick<T>(from: readonly T[]): T {
    return from[this.chance(from.length)]
  }

  key(): string {
    // The first few come most often.
    return this.pick(this.chance(3) > 0 ? KEYS.slice(0, 3) : KEYS)
  }

  /** Seconds, different each time, so that it never matters which of two was set a moment earlier. */
  seconds(): string {
    this.#ttls++
    return String(TTL_STEP_S * (1 + ((this.#ttls * 7919) % TTL_STEPS)))
  }

  /** What stands for a time to live: mostly good, in seconds or milliseconds. */
  #ttl(isMs: boolean, mayBePast: boolean): string {
    const chosen = this.chance(12)
    if (chosen === 0) return this.pick(NO_NUMBERS)
    if (chosen === 1) return this.pick(MIGHTY)
    if (chosen === 2 || (chosen === 3 && mayBePast)) return this.pick(PAST)
    return isMs ? `${this.seconds()}000` : this.seconds()
  }

  value(): string {
    return this.pick(this.chance(2) > 0 ? NUMBERS : TEXTS)
  }

  amount(): string {
    return this.pick(this.chance(4) > 0 ? NUMBERS : NO_NUMBERS)
  }

  /** Several keys, some of them twice. */
  keys(): string[] {
    return Array.from({ length: 1 + this.chance(4) }, () => this.key())
  }

  pairs(): string[] {
    return this.keys().flatMap((key) => [key, this.value()])
  }

  pattern(): string {
    return this.pick(['*', '?', 'a*', '*e*', 'none', '', String.raw`\a`, '*?', 'a**', '**'])
  }

  #setOptions(): string[] {
    const options: string[] = []
    while (this.chance(5) < 2) {
      const option = this.pick([
        'NX',
        'XX',
        'GET',
        'KEEPTTL',
        'EX',
        'PX',
        'EX',
        'PX',
        'PXAT',
        'EXAT',
        'WHAT',
      ])
      options.push(option)
      if (option === 'EX' || option === 'PX') options.push(this.#ttl(option === 'PX', false))
      if (option === 'EXAT') options.push(`4${this.seconds().padStart(9, '0')}`)
      if (option === 'PXAT') options.push(`4${this.seconds().padStart(9, '0')}000`)
    }
    return options
  }

  #expireOptions(): string[] {
    if (this.chance(2) > 0) return []
    return Array.from({ length: 1 + this.chance(2) }, () =>
      this.pick(this.chance(10) > 0 ? CONDITIONS : ['KX', '']),
    )
  }

  #scanOptions(): string[] {
    const options: string[] = []
    while (this.chance(4) === 0) {
      options.push(
        ...this.pick([
          ['MATCH', this.pattern()],
          ['TYPE', this.pick(['string', 'list', 'STRING'])],
          ['COUNT', this.pick(['0', '-1', 'x', '1000'])],
          ['WHAT', 'x'],
          ['MATCH'],
        ]),
      )
    }
    return options
  }

  readonly #makers: readonly (readonly [weight: number, make: () => string[]])[] = [
    [30, () => ['SET', this.key(), this.value(), ...this.#setOptions()]],
    [20, () => ['GET', this.key()]],
    [6, () => ['GETDEL', this.key()]],
    [6, () => ['GETSET', this.key(), this.value()]],
    [6, () => ['SETNX', this.key(), this.value()]],
    [4, () => ['SETEX', this.key(), this.#ttl(false, false), this.value()]],
    [4, () => ['PSETEX', this.key(), this.#ttl(true, false), this.value()]],
    [6, () => ['MSET', ...this.pairs()]],
    [6, () => ['MGET', ...this.keys()]],
    [6, () => ['APPEND', this.key(), this.value()]],
    [4, () => ['STRLEN', this.key()]],
    [6, () => [this.pick(['INCR', 'DECR']), this.key()]],
    [6, () => [this.pick(['INCRBY', 'DECRBY']), this.key(), this.amount()]],
    [8, () => [this.pick(['DEL', 'UNLINK']), ...this.keys()]],
    [6, () => ['EXISTS', ...this.keys()]],
    [3, () => ['TYPE', this.key()]],
    [10, () => ['RENAME', this.key(), this.key()]],
    [14, () => ['EXPIRE', this.key(), this.#ttl(false, true), ...this.#expireOptions()]],
    [14, () => ['PEXPIRE', this.key(), this.#ttl(true, true), ...this.#expireOptions()]],
    [12, () => [this.pick(['TTL', 'PTTL']), this.key()]],
    [8, () => ['PERSIST', this.key()]],
    [4, () => ['KEYS', this.pattern()]],
    [
      4,
      () => [
        'SCAN',
        this.pick(['0', '0', '0', 'x', '1x']),
        'COUNT',
        '1000',
        ...this.#scanOptions(),
      ],
    ],
    [4, () => ['DBSIZE']],
    [
      1,
      () => [this.pick(['FLUSHALL', 'FLUSHDB']), ...this.pick([[], ['SYNC'], ['async'], ['NOW']])],
    ],
    [12, () => ['MULTI']],
    [26, () => ['EXEC']],
    [2, () => ['DISCARD']],
    [12, () => ['WATCH', ...this.keys()]],
    [2, () => ['UNWATCH']],
    [1, () => ['RESET']],
    [1, () => ['QUIT']],
    [2, () => ['PING', ...this.pick([[], ['hello'], ['a', 'b']])]],
    [1, () => ['ECHO', this.value()]],
    [1, () => ['TIME']],
    [1, () => ['SELECT', this.pick(['0', '-1', '99', '99999999999', 'x', ''])]],
    [1, () => ['CLIENT', ...this.#clientWords()]],
    [1, () => ['CONFIG', ...this.pick([['GET'], ['GET', 'save'], ['SET'], ['WHAT'], []])]],
    [1, () => ['COMMAND', ...this.pick([['COUNT', 'x'], ['WHAT'], ['COUNT']])]],
    [
      1,
      () => [
        'HELLO',
        ...this.pick([
          [],
          ['2'],
          ['x'],
          ['1'],
          ['4'],
          ['2', 'SETNAME', 'me'],
          ['2', 'x'],
          ['2', 'SETNAME', 'a b'],
          ['2', 'SETNAME'],
        ]),
      ],
    ],
    [1, () => ['INFO']],
    [
      2,
      () => [
        this.pick(['NOSUCH', 'nosuch', '', 'x'.repeat(200), 'a\r\nb']),
        ...this.keys(),
        this.value(),
      ],
    ],
  ]

  #clientWords(): string[] {
    return this.pick([
      ['ID'],
      ['GETNAME'],
      ['SETNAME', this.pick(['me', '', 'a b', 'a\n'])],
      ['SETNAME'],
      ['GETNAME', 'x'],
      ['INFO'],
      ['LIST'],
      ['LIST', 'x'],
      ['NO-EVICT', this.pick(['ON', 'off', 'x'])],
      ['WHAT', 'x'],
      [],
    ])
  }

  next(): string[] {
    const total = this.#makers.reduce((sum, [weight]) => sum + weight, 0)
    let rest = this.chance(total)
    const [, make] = this.#makers.find(([weight]) => (rest -= weight) < 0) ?? this.#makers[0]
    return this.#damaged(make())
  }

  /** Now and then with an argument too few or too many; the name in any case. */
  #damaged(words: string[]): string[] {
    const chosen = this.chance(40)
    if (chosen === 0 && words.length > 1) words.pop()
    if (chosen === 1) words.push(this.pick(['extra', '', '1']))
    if (chosen < 20) words[0] = words[0].toLowerCase()
    return words
  }
}
