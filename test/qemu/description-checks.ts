// What must hold of a description behind a stream, whatever its bytes are: it is read or refused with a code, the
// quick reader says what the careful one says, and both know how large its devices are.

import { isDeepStrictEqual } from 'node:util'
import { sizesOfDevices, textOfBytes } from '../../formats/qemu/description/description-sizes.ts'
import { readJson, type JsonValue } from '../../formats/qemu/description/json-reader.ts'
import { quickDescription } from '../../formats/qemu/description/vmdesc-quick.ts'
import { readVmDescription } from '../../formats/qemu/description/vmdesc.ts'
import { compatDescription } from '../../tools/decode/compat.ts'
import { descriptionText } from '../../tools/decode/description-text.ts'
import { outcomeOf } from './decode-all.ts'

const HIGH = 0x80

function parsed(json: Uint8Array): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(textOfBytes(json)) }
  } catch {
    return undefined
  }
}

/** What JSON.parse would give. */
function plainOf(value: JsonValue): unknown {
  if (value === null || typeof value !== 'object') return value
  if (value.kind === 'number') return Number(value.text)
  if (value.kind === 'array') return value.items.map(plainOf)
  return Object.fromEntries(value.members.map((one) => [one.key, plainOf(one.value)]))
}

/** Our JSON against the language's, where the text is ASCII. */
function checkJson(json: Uint8Array): string {
  let ours: { value: unknown } | undefined
  const outcome = outcomeOf(() => {
    ours = { value: plainOf(readJson(json)) }
    return 'read'
  })
  if (json.some((byte) => byte >= HIGH)) return outcome
  const theirs = parsed(json)
  if (ours === undefined && theirs !== undefined && !isDeep(json)) {
    throw new Error('JSON.parse reads what our reader refuses')
  }
  if (ours !== undefined && !isDeepStrictEqual(ours, theirs)) {
    throw new Error('our reader and JSON.parse do not agree')
  }
  return outcome
}

/** Ours has a limit of levels. */
const isDeep = (json: Uint8Array) =>
  json.reduce((sum, byte) => sum + (byte === 0x5b || byte === 0x7b ? 1 : 0), 0) > 512

export function checkDescription(json: Uint8Array): string {
  checkJson(json)
  let careful: unknown
  const outcome = outcomeOf(() => {
    careful = readVmDescription(json, 0)
    if (descriptionText(json, 0) === '') throw new Error('no text')
    return 'read'
  })
  const theirs = parsed(json)
  const quick = theirs === undefined ? undefined : quickDescription(theirs.value)
  const isAscii = json.every((byte) => byte < HIGH)
  if (
    quick !== undefined &&
    isAscii &&
    careful !== undefined &&
    !isDeepStrictEqual(quick, careful)
  ) {
    throw new Error('the quick reader does not say what the careful one says')
  }
  outcomeOf(() => {
    const size = sizesOfDevices(json, 0)('rich', 0, 0)
    return String(size)
  })
  if (theirs !== undefined) compatDescription(json)
  return outcome
}
