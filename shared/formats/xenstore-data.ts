// The payload of EMULATOR_XENSTORE_DATA: (key NUL value NUL)*. Xen's keys are byte strings; here a
// character is a byte, U+0000 to U+00FF, which keeps every payload as it was through a round trip.

/**
 * The strings of a payload in their order: key, value, key, value. An unterminated rest is left
 * out.
 */
export function decodeXenstoreStrings(data: Uint8Array): string[] {
  const strings: string[] = []
  let text = ''
  for (const byte of data) {
    if (byte !== 0) {
      text += String.fromCharCode(byte)
      continue
    }
    strings.push(text)
    text = ''
  }
  return strings
}

/** A payload of key-value pairs. */
export function encodeXenstorePairs(pairs: readonly (readonly [string, string])[]): Uint8Array {
  const text = pairs.map(([key, value]) => `${key}\0${value}\0`).join('')
  return Uint8Array.from(text, (char) => char.charCodeAt(0))
}

/** The rule that a payload breaks, if any: libxl-migration-stream, EMULATOR_XENSTORE_DATA. */
export function xenstoreFlaw(data: Uint8Array): string | undefined {
  if (data.length > 0 && data[data.length - 1] !== 0) return 'the payload must end in a NUL'
  const strings = decodeXenstoreStrings(data)
  if (strings.length % 2 !== 0) return 'keys and values must come in pairs'
  for (let index = 0; index < strings.length; index += 2) {
    if (strings[index] === '') return 'a key must not be empty'
    if (strings[index].startsWith('/')) return "a key must be relative: no leading '/'"
  }
  return undefined
}
