// Values as text: numbers in as many digits as they have bytes, bytes in pairs of digits.

import type { InnerValue } from '../../formats/qemu/vmstate/inner-value.ts'

const INNER_BYTES_SHOWN = 32

const PAIRS: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
)

const ZEROS: Readonly<Record<number, string>> = {
  1: '0x00',
  2: '0x0000',
  4: '0x00000000',
  8: '0x0000000000000000',
}

/** In two's complement if it is negative. */
export function hexOf(value: number | bigint, bytes: number): string {
  if (typeof value === 'number') {
    if (value === 0) return ZEROS[bytes] ?? '0x0'
    if (bytes === 1) return `0x${PAIRS[value & 0xff]}`
    const unsigned = bytes === 2 ? value & 0xffff : value >>> 0
    return `0x${unsigned.toString(16).padStart(2 * bytes, '0')}`
  }
  if (value === 0n) return ZEROS[8] ?? ''
  return `0x${BigInt.asUintN(64, value).toString(16).padStart(16, '0')}`
}

/** Pairs of digits with `between` between them. */
export function bytesText(bytes: Uint8Array, between: string): string {
  if (bytes.length === 0) return ''
  let text = PAIRS[bytes[0] ?? 0] ?? ''
  for (let i = 1; i < bytes.length; i++) text += between + PAIRS[bytes[i] ?? 0]
  return text
}

/** A text in double quotes, as JSON has it. */
export function quoted(text: string): string {
  return /^[ !#-[\]-~]*$/.test(text) ? `"${text}"` : JSON.stringify(text)
}

/** A value within a field, for people. */
export function innerText({ value, size }: InnerValue): string {
  if (typeof value === 'boolean') return String(value)
  if (typeof value !== 'object') return hexOf(value, size)
  const shown = bytesText(value.subarray(0, INNER_BYTES_SHOWN), ' ')
  return value.length > INNER_BYTES_SHOWN ? `${shown} ... (${value.length} bytes)` : shown
}

/** The same as JSON: numbers of 64 bits and bytes are texts, as they are in fields. */
export function innerJson({ value, size }: InnerValue): string {
  if (typeof value === 'bigint') return quoted(hexOf(value, size))
  return typeof value === 'object' ? quoted(bytesText(value, '')) : String(value)
}
