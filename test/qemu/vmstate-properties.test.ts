// Whatever a description consists of: a device goes into bytes and comes back the same, by the description in code
// and by the JSON that was written with it; and whatever the bytes are, nothing but a coded error comes of them.

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  BinaryInputVisitor,
  BinaryOutputVisitor,
} from '../../formats/qemu/vmstate/binary-visitor.ts'
import {
  ObjectInputVisitor,
  ObjectOutputVisitor,
} from '../../formats/qemu/vmstate/object-visitor.ts'
import { QemuStreamError } from '../../formats/qemu/file/qemu-stream-error.ts'
import { TeeOutputVisitor } from '../../formats/qemu/vmstate/tee-visitor.ts'
import { transfer } from '../../formats/qemu/vmstate/transfer.ts'
import { TreeOutputVisitor, type TreeNode } from '../../formats/qemu/vmstate/tree-visitor.ts'
import { bytesOfVmsd, readVmDescription } from '../../formats/qemu/description/vmdesc.ts'
import { vmDescriptionJson } from '../../formats/qemu/description/vmdesc-writer.ts'
import type { VMStateDescription } from '../../formats/qemu/vmstate/vmstate.ts'
import { bytesOut, fileOf } from './bytes.ts'
import { descriptionOf, deviceOf } from './descriptions.ts'

const described = descriptionOf('d', 2).chain((vmsd) =>
  fc.record({ vmsd: fc.constant(vmsd), device: deviceOf(vmsd) }),
)

const nested = { nested: true }

function load(vmsd: VMStateDescription, bytes: Uint8Array): object {
  const file = fileOf(bytes)
  const device = {}
  transfer(vmsd, new BinaryInputVisitor(file), new ObjectOutputVisitor(device))
  expect(file.atEnd).toBe(true)
  return device
}

const save = (vmsd: VMStateDescription, device: object, options = {}) =>
  bytesOut((file) => {
    transfer(vmsd, new ObjectInputVisitor(device, options), new BinaryOutputVisitor(file))
  })

/** Whether QEMU's description tells all: not of arrays whose elements differ, which it gives by their first. */
function isWhollyDescribed(node: TreeNode): boolean {
  if (node.kind === 'value') return true
  if (node.kind === 'array' && node.children.some((one) => !isAlike(one, node.children[0]))) {
    return false
  }
  return node.children.every(isWhollyDescribed)
}

/** In kind and in size, all the way down. */
function isAlike(one: TreeNode, other: TreeNode | undefined): boolean {
  if (other === undefined || one.kind !== other.kind || one.size !== other.size) return false
  if (one.kind === 'value' || other.kind === 'value') return true
  if (one.children.length !== other.children.length) return false
  return one.children.every((child, i) => isAlike(child, other.children[i]))
}

describe('any device', () => {
  test('goes into bytes and comes back', () => {
    fc.assert(
      fc.property(described, ({ vmsd, device }) => {
        expect(load(vmsd, save(vmsd, device))).toEqual(device)
      }),
      { numRuns: 500 },
    )
  })

  test('goes from object to object', () => {
    fc.assert(
      fc.property(described, ({ vmsd, device }) => {
        const other = {}
        transfer(vmsd, new ObjectInputVisitor(device), new ObjectOutputVisitor(other))
        expect(other).toEqual(device)
      }),
    )
  })

  test('is described by the JSON that is written with it', () => {
    let wholly = 0
    fc.assert(
      fc.property(described, ({ vmsd, device }) => {
        let json = ''
        const bytes = bytesOut((file) => {
          const binary = new BinaryOutputVisitor(file)
          const tree = new TreeOutputVisitor(binary)
          transfer(vmsd, new ObjectInputVisitor(device), new TeeOutputVisitor(binary, tree))
          if (tree.root === undefined || !isWhollyDescribed(tree.root)) return
          json = vmDescriptionJson(4096, [{ name: 'd', instance_id: 0, tree: tree.root }])
        })
        if (json === '') return
        wholly++
        const [read] = readVmDescription(new TextEncoder().encode(json)).devices
        if (read === undefined) throw new Error('no device')
        expect(bytesOfVmsd(read.vmsd)).toBe(bytes.length)
        const file = fileOf(bytes)
        const other = {}
        transfer(read.vmsd, new BinaryInputVisitor(file), new ObjectOutputVisitor(other, nested))
        expect(file.atEnd).toBe(true)
        expect(save(read.vmsd, other, nested)).toEqual(bytes)
      }),
      { numRuns: 500 },
    )
    expect(wholly).toBeGreaterThan(250)
  })
})

/** Nothing, or the coded error; whatever else is raised goes on. */
function errorOf(run: () => unknown): QemuStreamError | undefined {
  try {
    run()
  } catch (error) {
    if (error instanceof QemuStreamError) return error
    throw error
  }
  return undefined
}

describe('damage', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 })

  test('of a device’s bytes is loaded or told', () => {
    let told = 0
    fc.assert(
      fc.property(described, changes, fc.nat({ max: 3 }), ({ vmsd, device }, at, cut) => {
        const bytes = save(vmsd, device)
        for (const [place, byte] of at) bytes[place % bytes.length] = byte
        const kept = bytes.subarray(0, Math.max(0, bytes.length - cut))
        const into = new ObjectOutputVisitor({})
        const error = errorOf(() => {
          transfer(vmsd, new BinaryInputVisitor(fileOf(kept)), into)
        })
        if (error !== undefined) {
          told++
          expect(error.offset).toBeLessThanOrEqual(kept.length)
        }
      }),
      { numRuns: 1000 },
    )
    expect(told).toBeGreaterThan(100)
  })

  test('of bytes by chance, too', () => {
    fc.assert(
      fc.property(descriptionOf('d', 2), fc.uint8Array({ maxLength: 200 }), (vmsd, bytes) => {
        errorOf(() =>
          transfer(vmsd, new BinaryInputVisitor(fileOf(bytes)), new ObjectOutputVisitor({})),
        )
        errorOf(() => {
          const file = fileOf(bytes)
          transfer(vmsd, new BinaryInputVisitor(file), new TreeOutputVisitor(file))
        })
      }),
      { numRuns: 500 },
    )
  })

  test('a cut anywhere is told as such', () => {
    fc.assert(
      fc.property(described, fc.nat(), ({ vmsd, device }, cut) => {
        const bytes = save(vmsd, device)
        const kept = bytes.subarray(0, cut % Math.max(1, bytes.length))
        const file = fileOf(kept)
        const error = errorOf(() => {
          transfer(vmsd, new BinaryInputVisitor(file), new ObjectOutputVisitor({}))
        })
        // The head of a subsection that is cut is not one: it may be the next field, or be left where it is.
        const isAmbiguous = JSON.stringify(vmsd).includes('subsections')
        if (error === undefined) expect(isAmbiguous || bytes.length === 0).toBe(true)
        else if (!isAmbiguous) expect(error.code).toBe('truncated')
      }),
      { numRuns: 500 },
    )
  })

  test('a length of 256 MB that is not there costs no memory', () => {
    const vmsd: VMStateDescription = {
      name: 'd',
      version_id: 1,
      fields: [
        { name: 'n', type: 'int32' },
        { name: 'f', type: 'buffer', size: 'n' },
      ],
    }
    const before = process.memoryUsage().arrayBuffers
    const error = errorOf(() => load(vmsd, Uint8Array.of(0x10, 0, 0, 0, 1)))
    expect(error?.code).toBe('truncated')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024)
  })

  test('descriptions within each other do not use up the stack', () => {
    let vmsd: VMStateDescription = { name: 'd', version_id: 1, fields: [] }
    for (let i = 0; i < 1000; i++) {
      vmsd = { name: 'd', version_id: 1, fields: [{ name: 'f', type: 'struct', vmsd }] }
    }
    expect(errorOf(() => load(vmsd, Uint8Array.of()))?.code).toBe('too-long')
  })
})
