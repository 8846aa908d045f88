// Damage by chance to bytes, the same for the same seed: what is cut off, changed, doubled or left out.

/** A small generator of numbers, the same for the same seed. */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = (seed * 2_654_435_761) >>> 0 || 1
  }

  below(end: number): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return (this.#state >>> 0) % end
  }
}

/** Octets that mean something in heads and lengths. */
const TELLING = [0, 1, 2, 4, 5, 12, 16, 0x1f, 0x24, 0x30, 0x7f, 0x80, 0x81, 0x82, 0x84, 0x88, 0xff]

type Damage = (bytes: Uint8Array, dice: Dice) => Uint8Array

const DAMAGES: readonly Damage[] = [
  (bytes, dice) => bytes.subarray(0, dice.below(bytes.length)),
  (bytes, dice) => bytes.with(dice.below(bytes.length), dice.below(256)),
  (bytes, dice) => bytes.with(dice.below(bytes.length), TELLING[dice.below(TELLING.length)] ?? 0),
  (bytes, dice) => {
    const at = dice.below(bytes.length)
    return bytes.with(at, (bytes[at] ?? 0) ^ (1 << dice.below(8)))
  },
  (bytes, dice) => {
    // A part once more, or left out.
    const from = dice.below(bytes.length)
    const to = Math.min(bytes.length, from + dice.below(64))
    const again = dice.below(2) === 0 ? bytes.subarray(from, to) : new Uint8Array()
    const behind = again.length > 0 ? from : to
    return new Uint8Array(Buffer.concat([bytes.subarray(0, from), again, bytes.subarray(behind)]))
  },
]

/** `bytes` with one to three things wrong. */
export function damaged(bytes: Uint8Array, dice: Dice): Uint8Array {
  let result = bytes
  const times = 1 + dice.below(3)
  for (let i = 0; i < times && result.length > 0; i++) {
    const damage = DAMAGES[dice.below(DAMAGES.length)]
    if (damage !== undefined) result = damage(result, dice)
  }
  return result
}
