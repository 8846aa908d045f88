// Durations and sizes as people write them on a command line, and as they are shown again.

const DURATION_UNITS = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 } as const
const SIZE_UNITS = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const

/** `100ms`, `1.5s`, `2m`, `1h`, in milliseconds. Throws with what it expects. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|min|h)$/.exec(text.trim())
  if (match === null) {
    throw new Error(`${JSON.stringify(text)} is no duration: write 100ms, 1.5s, 2m or 1h`)
  }
  return Number(match[1]) * DURATION_UNITS[match[2] as keyof typeof DURATION_UNITS]
}

/** `64MiB`, `512KiB`, `1GiB` or a count of bytes. Throws with what it expects. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB)?$/i.exec(text.trim())
  const unit = Object.entries(SIZE_UNITS).find(
    ([name]) => name.toLowerCase() === (match?.[2] ?? 'B').toLowerCase(),
  )
  const bytes = Number(match?.[1]) * (unit?.[1] ?? NaN)
  if (!Number.isSafeInteger(bytes)) {
    throw new Error(`${JSON.stringify(text)} is no size: write 64MiB, 512KiB, 1GiB or bytes`)
  }
  return bytes
}

/** A whole or broken positive number of milliseconds, for the options whose name ends in -ms. */
export function parseMs(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN
  if (!(value > 0)) throw new Error(`${JSON.stringify(text)} is no positive number of milliseconds`)
  return value
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
