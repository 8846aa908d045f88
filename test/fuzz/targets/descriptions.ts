// The JSON that QEMU appends to a stream, before our readers of it.

import { checkDescription } from '../../qemu/description-checks.ts'
import { richDevice } from '../../qemu/described-stream.ts'
import type { FuzzTarget } from '../fuzz-target.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)

const FIELDS = [
  '{"name": "a", "index": 0, "type": "uint16", "size": 2}, {"name": "a", "index": 1, "type": "buffer", "size": 3}',
  '{"name": "s", "type": "struct", "struct": {"vmsd_name": "s", "version": 1, "fields": []}, "size": 0}',
  '{"name": "n", "array_len": 2, "type": "uint64", "size": 1}',
  String.raw`{"name": "\u00e4\n\"", "type": "odd \\ one", "size": 1e1}`,
]

function seeds(): Uint8Array[] {
  const devices = FIELDS.map(
    (fields) =>
      `{"page_size": 4096, "devices": [{"name": "d", "instance_id": 4294967295, ` +
      `"vmsd_name": "d", "version": 1, "fields": [${fields}]}]}`,
  )
  const old =
    '{"page_size":4096,"devices":[{"name":"slirp","instance_id":0,"size":3,' +
    '"fields":[{"name":"data","size":3,"type":"buffer"}]}]}'
  return [richDevice().json, old, ...devices, '[true, false, null, -1.5e-3, "x"]'].map(utf8)
}

export const target: FuzzTarget = {
  name: 'descriptions',
  what: "QEMU's description of a stream, before our readers of it",
  inputBytesMax: 8 * 1024,
  bounds: { steps: 20_000, stepsPerByte: 500, allocated: 1 << 20, allocatedPerByte: 64 },
  seeds,
  run: checkDescription,
}
