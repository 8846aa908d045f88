// The state of virtio devices, taken apart: those of real streams with what their QEMU had.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { finderFor, faultOf } from '../../tools/decode/descriptions.ts'
import { DeviceStates } from '../../tools/decode/device-states.ts'
import { FieldList } from '../../tools/decode/field-list.ts'
import { walk } from '../../tools/decode/walk.ts'
import { BinaryInputVisitor } from '../../formats/qemu/vmstate/binary-visitor.ts'
import { innerValues } from '../../formats/qemu/vmstate/opaque-fields.ts'
import { QemuFileReader } from '../../formats/qemu/file/qemu-file.ts'
import { damaged, Dice } from '../ber/damages.ts'
import { CORPUS_MISSING, STREAM_NAMES, streamBytes } from './corpus.ts'
import { again, valuesOf } from './virtio-fields.ts'

const FUZZ_RUNS = Number(process.env['COLO_FUZZ_RUNS'] ?? 400)

const folder = mkdtempSync(join(tmpdir(), 'colo-virtio-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(name: string): string {
  const path = join(folder, name)
  writeFileSync(path, streamBytes(name))
  return path
}

/** The fields of type virtio of a stream, by the last part of their section's name. */
async function virtioFields(name: string): Promise<Map<string, Uint8Array>> {
  const states = new DeviceStates()
  await walk(file(name), states)
  states.finish()
  const find = await finderFor(states, undefined)
  const found = new Map<string, Uint8Array>()
  for (const section of states.last?.sections ?? []) {
    const from = new BinaryInputVisitor(QemuFileReader.over(section.bytes, section.bodyOffset))
    const list = new FieldList(from)
    expect(faultOf(section, find, from, list)).toBeUndefined()
    const row = list.rows.find(({ type }) => type === 'virtio')
    if (row?.bytes === undefined) continue
    const device = section.head.idstr.replace(/.*\//, '')
    found.set(found.has(device) ? `${device} 2` : device, row.bytes)
  }
  return found
}

const MODERN = 'virtio/extra_state:extra_state.virtio_pci/modern_state'

/** By stream and device: what a user would look for, as QEMU set it up. */
const KNOWN: readonly [string, string, Readonly<Record<string, unknown>>][] = [
  // The BIOS has booted from the disks, and the rings are in memory: features VERSION_1, SEG_MAX, BLK_SIZE.
  [
    'q35-storage',
    'virtio-blk',
    {
      'pci.config vendor': 0x1af4,
      'pci.config device': 0x1001,
      'pci.config_vector': 0xffff,
      status: 15,
      guest_features_low: 0x44,
      'virtio/64bit_features:guest_features': 0x1_0000_0044n,
      queues: 1,
      'vq[0].vring.num': 256,
      'vq[0].vring.desc': 0xfd_b000n,
      'vq[0].last_avail_idx': 0,
      'vq[0].vector': 0xffff,
      'virtio/virtqueues:vq[0].vring.avail': 0xfd_c000n,
      'virtio/virtqueues:vq[0].vring.used': 0xfd_d000n,
      [`${MODERN}:vqs[0].enabled`]: true,
      [`${MODERN}:vqs[0].desc[0]`]: 0xfd_b000,
      'virtio/started:started': true,
    },
  ],
  [
    'q35-storage',
    'virtio-scsi',
    {
      status: 15,
      'virtio/64bit_features:guest_features': 0x1_0000_0000n,
      queues: 3,
      'vq[2].vring.num': 256,
      'vq[2].last_avail_idx': 262,
      'virtio/started:started': true,
    },
  ],
  [
    'microvm-virtio-mmio',
    'virtio-net',
    {
      'mmio.guest_page_shift': 0,
      status: 0,
      config_len: 8,
      queues: 3,
      'vq[0].vring.num': 256,
      'vq[0].vring.align': 4096,
      'vq[2].vring.num': 64,
      'virtio/64bit_features:guest_features': 0n,
    },
  ],
  // A legacy device: no subsections at all.
  ['microvm-virtio-mmio', 'virtio-console', { queues: 64, 'vq[2].vring.num': 32 }],
  ['microvm-virtio-mmio', 'virtio-rng', { queues: 1, 'vq[0].vring.num': 8 }],
  ['aarch64-virt-gicv3', 'virtio-rng', { queues: 1, 'vq[0].vring.num': 8 }],
  ['q35-virtio-iommu', 'virtio-iommu', { queues: 2, 'vq[1].vring.num': 256 }],
  [
    'q35-virtio-iommu',
    'virtio-balloon',
    { queues: 3, 'vq[0].vring.num': 128, device: new Uint8Array(8) },
  ],
  ['q35-maxcpu', 'virtio-gpu', { queues: 2, 'vq[0].vring.num': 64, 'vq[1].vring.num': 16 }],
  ['q35-maxcpu', 'virtio-input', { queues: 2, 'virtio/disabled:disabled': true }],
  ['q35-maxcpu', 'virtio-input 2', { config_len: 37, 'vq[1].vring.num': 64 }],
]

describe.skipIf(STREAM_NAMES.length === 0)(
  `virtio in real streams (else ${CORPUS_MISSING})`,
  () => {
    it.each([...new Set(KNOWN.map(([stream]) => stream))])(
      'of %s has a layout, and comes back to the byte',
      async (stream) => {
        const fields = await virtioFields(stream)
        const known = KNOWN.filter(([name]) => name === stream).map(([, device]) => device)
        expect([...fields.keys()].toSorted()).toEqual(known.toSorted())
        for (const [device, bytes] of fields) {
          expect({ device, isSame: Buffer.compare(again(bytes), bytes) }).toEqual({
            device,
            isSame: 0,
          })
        }
      },
    )

    it.each(KNOWN)('in %s, %s says what its QEMU had', async (stream, device, known) => {
      const bytes = (await virtioFields(stream)).get(device) ?? new Uint8Array()
      expect(valuesOf(bytes)).toMatchObject(known)
    })

    it('has the MAC address in what the kind of device adds', async () => {
      const bytes =
        (await virtioFields('microvm-virtio-mmio')).get('virtio-net') ?? new Uint8Array()
      const device = valuesOf(bytes)['device']
      expect(Buffer.from(device as Uint8Array).toString('hex', 0, 6)).toBe('525400123456')
    })

    it('may be damaged in any way', async () => {
      for (const bytes of (await virtioFields('microvm-virtio-mmio')).values()) {
        for (let run = 0; run < FUZZ_RUNS; run++) {
          const input = damaged(bytes, new Dice(run + 1))
          let last = 0
          for (const { at, size } of innerValues('virtio', input)) {
            expect(at).toBeGreaterThanOrEqual(last)
            last = at + size
          }
          expect(last).toBeLessThanOrEqual(input.length)
        }
      }
    })
  },
)
