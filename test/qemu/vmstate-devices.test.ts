// Real sections of a real stream, loaded by descriptions in code into objects that have members of their own, and
// written again to the byte; the description that goes with them is QEMU's own, too.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  BinaryInputVisitor,
  BinaryOutputVisitor,
} from '../../formats/qemu/vmstate/binary-visitor.ts'
import {
  ObjectInputVisitor,
  ObjectOutputVisitor,
} from '../../formats/qemu/vmstate/object-visitor.ts'
import { TeeOutputVisitor } from '../../formats/qemu/vmstate/tee-visitor.ts'
import { transfer } from '../../formats/qemu/vmstate/transfer.ts'
import { TreeOutputVisitor } from '../../formats/qemu/vmstate/tree-visitor.ts'
import { vmDescriptionJson } from '../../formats/qemu/description/vmdesc-writer.ts'
import type { VMStateDescription } from '../../formats/qemu/vmstate/vmstate.ts'
import { ROOT } from '../docs/documents.ts'
import { bytesOut, fileOf } from './bytes.ts'
import { CORPUS_NEEDED, corpusIsHere, readDescribedStream } from './device-sections.ts'
import {
  floppyVmsd,
  freshFwCfg,
  fwCfgVmsd,
  mouseVmsd,
  type FloppyController,
  type Mouse,
} from './real-devices.ts'

function load(vmsd: VMStateDescription, bytes: Uint8Array, device: object, version_id: number) {
  const file = fileOf(bytes)
  transfer(vmsd, new BinaryInputVisitor(file), new ObjectOutputVisitor(device), { version_id })
  expect(file.atEnd).toBe(true)
}

/** The bytes, and what the description says of them. */
function save(vmsd: VMStateDescription, device: object) {
  let json = ''
  const bytes = bytesOut((file) => {
    const binary = new BinaryOutputVisitor(file)
    const tree = new TreeOutputVisitor(binary)
    transfer(vmsd, new ObjectInputVisitor(device), new TeeOutputVisitor(binary, tree))
    if (tree.root === undefined) return
    json = vmDescriptionJson(4096, [{ name: vmsd.name, instance_id: 0, tree: tree.root }])
  })
  return { bytes, json }
}

const stream = corpusIsHere ? readDescribedStream('pc-default-bios') : undefined

function realSection(name: string) {
  const section = stream?.sections.find(({ device }) => device.name === name)
  if (section === undefined) throw new Error(`no ${name}`)
  return section
}

/** That QEMU wrote the same of the device. */
function expectDescribed(json: string): void {
  const whole = String.fromCharCode(...(stream?.json ?? []))
  expect(whole).toContain(json.slice('{"page_size": 4096, "devices": ['.length, -2))
}

describe.skipIf(!corpusIsHere)(`devices described in code ${CORPUS_NEEDED}`, () => {
  test('fw_cfg, with both subsections', () => {
    const real = realSection('fw_cfg')
    const device = freshFwCfg()
    load(fwCfgVmsd, real.body, device, real.version_id)
    expect(device.cur_entry).toBe(0x0e)
    expect(device.cur_offset).toBe(2)
    expect(device.dma_enabled && device.acpi_mr_restore).toBe(true)
    expect(device.table_mr_size).toBeGreaterThan(0n)
    const saved = save(fwCfgVmsd, device)
    expect(saved.bytes).toEqual(real.body)
    // The last field's key is not unique, which the description must say.
    expect(saved.json).toContain('cur_offset[1]')
    expectDescribed(saved.json)
  })

  test('fdc, whose drives have subsections each', () => {
    const real = realSection('fdc')
    const state: FloppyController = { num_floppies: 2, drives: [] }
    load(floppyVmsd, real.body, { state }, real.version_id)
    expect(state.drives).toHaveLength(2)
    expect(state.drives[0]?.media_rate).toBeTypeOf('number')
    const saved = save(floppyVmsd, { state })
    expect(saved.bytes).toEqual(real.body)
    expectDescribed(saved.json)
  })

  test('vmmouse, into a typed array that is there', () => {
    const real = realSection('vmmouse')
    const queue = new Uint32Array(1024).fill(7)
    const device: Mouse = { queue_size: 1024, queue, nb_queue: 0, status: 0, absolute: 0 }
    load(mouseVmsd, real.body, device, real.version_id)
    expect(device.queue).toBe(queue)
    expect(queue.every((one) => one === 0)).toBe(true)
    expect(save(mouseVmsd, device).bytes).toEqual(real.body)
  })

  test('vmmouse of a build with another queue is refused', () => {
    const real = realSection('vmmouse')
    const device: Mouse = {
      queue_size: 512,
      queue: new Uint32Array(512),
      nb_queue: 0,
      status: 0,
      absolute: 0,
    }
    expect(() => load(mouseVmsd, real.body, device, real.version_id)).toThrow(
      'bad-value at byte 4 (vmmouse:queue_size): 200 != 400: another build',
    )
  })
})

test('the example of the documents is the one that is tested', () => {
  const text = (path: string) => readFileSync(join(ROOT, path), 'utf8')
  const example = /```ts\n([^]*?)```/.exec(text('docs/qemu-formats.md'))?.[1]
  expect(example).toContain('fwCfgVmsd')
  expect(text('test/qemu/real-devices.ts')).toContain(example)
})

describe('an older layout', () => {
  test('fw_cfg of version 1 has an offset of 16 bits', () => {
    const device = freshFwCfg()
    load(fwCfgVmsd, Uint8Array.of(0x12, 0x34, 0xab, 0xcd), device, 1)
    expect(device).toEqual({ ...freshFwCfg(), cur_entry: 0x1234, cur_offset: 0xabcd })
  })

  test('can be written, too', () => {
    const device = { ...freshFwCfg(), cur_entry: 0x1234, cur_offset: 0xabcd }
    const bytes = bytesOut((file) => {
      const to = new BinaryOutputVisitor(file)
      transfer(fwCfgVmsd, new ObjectInputVisitor(device), to, { version_id: 1 })
    })
    expect(bytes).toEqual(Uint8Array.of(0x12, 0x34, 0xab, 0xcd))
  })
})
