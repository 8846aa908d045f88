// The name section stays, so that stack traces of a guest which trapped say what they said: added functions and
// locals come behind those that were there, so that every index still names the same thing. The added functions
// get names too.

import { ByteReader, Refusal } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'

const FUNCTION_NAMES = 1

function withNames(names: ByteReader, added: readonly (readonly [number, string])[]): Uint8Array {
  const out = new ByteWriter()
  out.u32(names.u32() + added.length)
  out.copy(names.bytes, names.at, names.end)
  for (const [index, name] of added) {
    out.u32(index)
    out.name(name)
  }
  return out.written
}

/**
 * The custom section's content with `added` (ascending, above every index there) among the function names.
 * undefined if the section is malformed, which an engine passes over.
 */
export function withFunctionNames(
  names: ByteReader,
  added: readonly (readonly [number, string])[],
): Uint8Array | undefined {
  const out = new ByteWriter(names.end - names.at + 64)
  out.name('name')
  try {
    while (!names.isAtEnd) {
      const id = names.byte()
      const length = names.u32()
      const start = names.at
      names.skip(length)
      out.put(id)
      const part = names.bytes.subarray(start, names.at)
      if (id !== FUNCTION_NAMES) out.sized(part)
      else out.sized(withNames(new ByteReader(names.bytes, start, names.at), added))
    }
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
  return out.written
}
