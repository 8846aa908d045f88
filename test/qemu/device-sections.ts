// The device sections of a real stream, found from its end: the description there says how many bytes each has,
// and they lie one behind the other ahead of it. So the tests of VMState need no reader of streams.

import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { QemuFileReader, sourceOf } from '../../formats/qemu/file/qemu-file.ts'
import {
  bytesOfVmsd,
  readVmDescription,
  type VmDescription,
  type VmDevice,
} from '../../formats/qemu/description/vmdesc.ts'
import { ROOT } from '../checkout.ts'

const corpus = join(ROOT, '../shared/corpus/qemu-streams')

/** Without it only what we write ourselves is read. */
export const corpusIsHere = existsSync(corpus)

/** What the tests say when it is not. */
export const CORPUS_NEEDED = '(needs ../shared/corpus/qemu-streams)'

export interface DeviceSection {
  readonly device: VmDevice
  readonly version_id: number
  /** Of its body in the stream. */
  readonly offset: number
  readonly body: Uint8Array
}

export interface DescribedStream {
  readonly description: VmDescription
  /** The JSON as QEMU wrote it. */
  readonly json: Uint8Array
  readonly sections: readonly DeviceSection[]
}

const FOOTER_BYTES = 5

/** `name` without `.mig.xz`. */
export function readDescribedStream(name: string): DescribedStream {
  const buffer = execFileSync('xz', ['-dc', `${corpus}/${name}.mig.xz`], { maxBuffer: 2 ** 30 })
  const bytes = new Uint8Array(buffer)
  const jsonAt = buffer.lastIndexOf('{"page_size"')
  const json = bytes.subarray(jsonAt, jsonAt + buffer.readUInt32BE(jsonAt - 4))
  const description = readVmDescription(json, jsonAt)
  const headBytes = (device: VmDevice) => 1 + 4 + 1 + device.name.length + 4 + 4
  const all = description.devices.map(
    (one) => headBytes(one) + bytesOfVmsd(one.vmsd) + FOOTER_BYTES,
  )
  let at = jsonAt - 6 - all.reduce((sum, one) => sum + one, 0)
  const sections = description.devices.map((device, i): DeviceSection => {
    const file = new QemuFileReader(sourceOf(bytes.subarray(at, at + all[i])), 4096)
    const head = [file.u8(), file.u32(), file.str8(), file.u32()]
    const version_id = file.u32()
    if (head[0] !== 4 || head[2] !== device.name || head[3] !== device.instance_id) {
      throw new Error(`${name}: ${device.name} is not at byte ${at}`)
    }
    const offset = at + headBytes(device)
    at += all[i]
    return { device, version_id, offset, body: bytes.subarray(offset, at - FOOTER_BYTES) }
  })
  return { description, json, sections }
}
