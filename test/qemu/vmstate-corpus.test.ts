// Every device of real streams, by the description that QEMU appended: its bytes become an object or a tree and
// the same bytes again, and from the trees comes QEMU's description again, letter by letter. None of these
// descriptions was written by us, so they hold for all kinds of fields that QEMU's devices have.

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
import { TeeOutputVisitor } from '../../formats/qemu/vmstate/tee-visitor.ts'
import { QemuStreamError } from '../../formats/qemu/file/qemu-stream-error.ts'
import { transfer } from '../../formats/qemu/vmstate/transfer.ts'
import { TreeOutputVisitor, type TreeBranch } from '../../formats/qemu/vmstate/tree-visitor.ts'
import {
  findVmDevice,
  readVmDescription,
  type VmDescription,
} from '../../formats/qemu/description/vmdesc.ts'
import {
  vmDescriptionJson,
  type WrittenDevice,
} from '../../formats/qemu/description/vmdesc-writer.ts'
import { bytesOut, fileOf } from './bytes.ts'
import {
  CORPUS_NEEDED,
  corpusIsHere,
  readDescribedStream,
  type DeviceSection,
} from './device-sections.ts'

const STREAMS = [
  'pc-default-bios',
  'q35-storage',
  'q35-virtio-iommu',
  'pc-min-paused',
  'q35-maxcpu',
  'pc-multi-ramblocks',
  'pc-colo-first',
  'isapc',
  'microvm-virtio-mmio',
  'microblaze',
  'aarch64-virt-gicv3',
]

const nested = { nested: true }

const versionOf = ({ device, version_id }: DeviceSection) =>
  device.isOldStyle ? {} : { version_id }

function treeOf(section: DeviceSection): TreeBranch {
  const file = fileOf(section.body)
  const tree = new TreeOutputVisitor(file)
  transfer(section.device.vmsd, new BinaryInputVisitor(file), tree, versionOf(section))
  if (tree.root === undefined) throw new Error('no tree')
  return tree.root
}

function objectOf(section: DeviceSection): object {
  const file = fileOf(section.body)
  const device = {}
  const to = new ObjectOutputVisitor(device, nested)
  transfer(section.device.vmsd, new BinaryInputVisitor(file), to, versionOf(section))
  expect(file.atEnd).toBe(true)
  return device
}

const nameOf = ({ device }: DeviceSection) => `${device.name} ${device.instance_id}`

describe('devices of real streams', () => {
  test.skipIf(!corpusIsHere)(`are here ${CORPUS_NEEDED}`, () => {
    expect(STREAMS.length).toBeGreaterThan(0)
  })

  describe.each(corpusIsHere ? STREAMS : [])('%s', (name) => {
    const { description, json, sections } = readDescribedStream(name)

    test('has sections', () => {
      expect(sections.length).toBeGreaterThan(3)
      expect(sections.map(({ device }) => device)).toEqual(description.devices)
      const found = new Map<string, number>()
      for (const { device } of sections) {
        const occurrence = found.get(`${device.name} ${device.instance_id}`) ?? 0
        found.set(`${device.name} ${device.instance_id}`, occurrence + 1)
        const { name: idstr, instance_id } = device
        expect(findVmDevice(description, idstr, instance_id, occurrence)).toBe(device)
      }
    })

    test('binary to object to binary', () => {
      for (const section of sections) {
        const device = objectOf(section)
        const bytes = bytesOut((file) => {
          const from = new ObjectInputVisitor(device, nested)
          transfer(section.device.vmsd, from, new BinaryOutputVisitor(file), versionOf(section))
        })
        expect({ name: nameOf(section), bytes }).toEqual({
          name: nameOf(section),
          bytes: section.body,
        })
      }
    })

    test('binary to binary, beside a tree that has every byte', () => {
      for (const section of sections) {
        const file = fileOf(section.body)
        let tree: TreeOutputVisitor | undefined
        const bytes = bytesOut((out) => {
          const binary = new BinaryOutputVisitor(out)
          tree = new TreeOutputVisitor(binary)
          const to = new TeeOutputVisitor(binary, tree)
          transfer(section.device.vmsd, new BinaryInputVisitor(file), to, versionOf(section))
        })
        expect({ name: nameOf(section), bytes }).toEqual({
          name: nameOf(section),
          bytes: section.body,
        })
        // Written and read, the places are the same.
        expect(tree?.root).toEqual(treeOf(section))
        expect(leafBytes(treeOf(section))).toBe(section.body.length)
      }
    })

    test('trees to the description that QEMU wrote', () => {
      const devices = sections.map((section): WrittenDevice => {
        const { name: idstr, instance_id, isOldStyle } = section.device
        return { name: idstr, instance_id, isOldStyle, tree: treeOf(section) }
      })
      const ours = vmDescriptionJson(description.page_size, devices)
      expect(ours).toBe(String.fromCharCode(...json))
    })
  })
})

describe('a damaged description', () => {
  const damage = fc.array(
    fc.tuple(fc.nat(), fc.constantFrom(...Buffer.from('0179"{}[],: eindsx'))),
    {
      minLength: 1,
      maxLength: 3,
    },
  )

  test.skipIf(!corpusIsHere)(`is told, or tells of other fields ${CORPUS_NEEDED}`, () => {
    const { json, sections } = readDescribedStream('microvm-virtio-mmio')
    const outcomes = { told: 0, read: 0 }
    fc.assert(
      fc.property(damage, (changes) => {
        const bytes = json.slice()
        for (const [place, byte] of changes) bytes[place % bytes.length] = byte
        let description: VmDescription
        try {
          description = readVmDescription(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(QemuStreamError)
          outcomes.told++
          return
        }
        for (const [i, { vmsd }] of description.devices.entries()) {
          const file = fileOf(sections[i].body)
          const device = new ObjectOutputVisitor({}, nested)
          try {
            transfer(vmsd, new BinaryInputVisitor(file), device)
          } catch (error) {
            expect(error).toBeInstanceOf(QemuStreamError)
          }
        }
        outcomes.read++
      }),
      { numRuns: 300 },
    )
    expect(Math.min(outcomes.told, outcomes.read)).toBeGreaterThan(10)
  })
})

/** With the heads of subsections: 5, the name and its length, the version. */
function leafBytes(branch: TreeBranch): number {
  let bytes = branch.kind === 'subsection' ? 1 + 1 + branch.name.length + 4 : 0
  // A list says 1 before each element and 0 behind the last.
  if (branch.kind === 'list') bytes += branch.children.length + 1
  for (const child of branch.children) {
    bytes += child.kind === 'value' ? child.size : leafBytes(child)
  }
  return bytes
}
