// Durations and sizes as people write them on a command line, and as they are shown again.

const DURATION_UNITS = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 } as const
const SIZE_UNITS = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const
/** By the first letter of a unit. All are powers of 1024, as QEMU (`64M`) and Docker (`64m`, `64MB`) have them. */
const SIZE_LETTERS = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 } as const
/** A longer timer fires at once in Node. */
const DURATION_MS_MAX = 2 ** 31 - 1

/**
 * `100ms`, `1.5s`, `2m`, `1h`, in milliseconds. A number without a unit is none, except where `bareUnit` says what
 * it means. Throws with what it expects.
 */
export function parseDuration(text: string, bareUnit?: 'ms'): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|min|h)?$/.exec(text.trim())
  const unit = (match?.[2] ?? bareUnit) as keyof typeof DURATION_UNITS | undefined
  if (match === null || unit === undefined) {
    const bare = bareUnit === undefined ? '' : ', or 400 for milliseconds'
    throw new Error(`${JSON.stringify(text)} is no duration: write 500ms, 1.5s, 2m or 1h${bare}`)
  }
  const ms = Number(match[1]) * DURATION_UNITS[unit]
  if (ms <= DURATION_MS_MAX) return ms
  const hours = Math.floor(DURATION_MS_MAX / DURATION_UNITS.h)
  throw new Error(`${JSON.stringify(text)} is too long: a duration is at most ${hours}h`)
}

/** `64M`, `64m`, `64MB`, `64MiB`, which all mean the same, or a count of bytes. Throws with what it expects. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(?:b|([kmgt])(?:i?b)?)?$/i.exec(text.trim())
  const letter = (match?.[2] ?? '').toLowerCase() as keyof typeof SIZE_LETTERS
  const bytes = Number(match?.[1]) * SIZE_LETTERS[letter]
  if (Number.isSafeInteger(bytes)) return bytes
  throw new Error(
    `${JSON.stringify(text)} is no size: write 64M, 64MiB, 512k or 1G (powers of 1024), or bytes`,
  )
}

/** For the options whose name ends in -ms: a duration above 0; a number without a unit is milliseconds. */
export function parseMs(text: string): number {
  const ms = parseDuration(text, 'ms')
  if (ms > 0) return ms
  throw new Error(`${JSON.stringify(text)} is no duration above 0: write 500ms or 1.5s`)
}

/** A whole number from `least` to `most`. */
export function parseCount(text: string, least = 0, most = Number.MAX_SAFE_INTEGER): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN
  if (value >= least && value <= most) return value
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `${least} to ${most}`
  throw new Error(`${JSON.stringify(text)} is no whole number ${range}`)
}

export function showBytes(bytes: number): string {
  if (bytes >= SIZE_UNITS.GiB) return `${(bytes / SIZE_UNITS.GiB).toFixed(1)} GiB`
  if (bytes >= SIZE_UNITS.MiB) return `${(bytes / SIZE_UNITS.MiB).toFixed(1)} MiB`
  if (bytes >= SIZE_UNITS.KiB) return `${(bytes / SIZE_UNITS.KiB).toFixed(1)} KiB`
  return `${Math.round(bytes)} B`
}

/** The same size as parseSize reads it, to the byte. */
export function showSize(bytes: number): string {
  const units = Object.entries(SIZE_UNITS).toReversed()
  const [name, size] = units.find(([, unit]) => bytes >= unit && bytes % unit === 0) ?? ['B', 1]
  return `${bytes / size}${name}`
}

/** Milliseconds with two digits that mean something. */
export function showMs(ms: number): string {
  if (ms >= 100) return ms.toFixed(0)
  return ms >= 10 ? ms.toFixed(1) : ms.toFixed(2)
}

export function showSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
