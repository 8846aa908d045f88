// The state of virtio devices that no corpus has, made small: every subsection, other transports, and whatever has
// no layout and stays bytes.

import { describe, expect, it } from 'vitest'
import { innerValues } from '../../formats/qemu/vmstate/opaque-fields.ts'
import type { QemuFileWriter } from '../../formats/qemu/file/qemu-file.ts'
import { bytesOut } from './bytes.ts'
import { again, valuesOf } from './virtio-fields.ts'

interface Made {
  readonly queues?: number
  readonly ring?: number
  readonly desc?: bigint
  readonly index?: number
  readonly select?: number
  /** Behind the queues. */
  readonly behind?: (out: QemuFileWriter) => void
}

/** A device on the mmio transport with one queue. */
const made = ({
  queues = 1,
  ring = 16,
  desc = 0x1000n,
  index = 5,
  select = 0,
  behind,
}: Made = {}) =>
  bytesOut((out) => {
    for (const word of [0, 1, 12]) out.u32(word)
    out.u8(7)
    out.u8(1)
    out.u16(select)
    out.u32(0x8000_0001)
    out.u32(3)
    out.bytes(Uint8Array.of(9, 8, 7))
    out.u32(queues)
    for (let i = 0; i < Math.min(queues, 1); i++) {
      out.u32(ring)
      out.u32(64)
      out.u64(desc)
      out.u16(index)
    }
    behind?.(out)
  })

const head = (out: QemuFileWriter, name: string) => {
  out.u8(5)
  out.str8(name)
  out.u32(1)
}

const flag =
  (name: string, value = 1) =>
  (out: QemuFileWriter) => {
    head(out, name)
    out.u8(value)
  }

const ofAllQueues = (out: QemuFileWriter, write: (queue: number) => void) => {
  for (let queue = 0; queue < 1024; queue++) write(queue)
  return out
}

describe('a made device', () => {
  const base = {
    'mmio.guest_features_sel': 1,
    'mmio.guest_page_shift': 12,
    isr: 1,
    guest_features_low: 0x8000_0001,
    config: Uint8Array.of(9, 8, 7),
    queues: 1,
    'vq[0].vring.num': 16,
    'vq[0].vring.align': 64,
    'vq[0].vring.desc': 0x1000n,
    'vq[0].last_avail_idx': 5,
  }

  it('is its registers and queues', () => {
    const values = valuesOf(made())
    expect(values).toMatchObject(base)
    expect(values).not.toHaveProperty('device')
  })

  it('may have a part of its own, in which anything may stand', () => {
    const own = Uint8Array.of(1, 5, 7, ...Buffer.from('virtio-'), 5, 0)
    const bytes = made({ behind: (out) => out.bytes(own) })
    expect(valuesOf(bytes)).toMatchObject({ ...base, device: own })
    expect(Buffer.compare(again(bytes), bytes)).toBe(0)
  })

  it('has every subsection, and of queues that are not there what is not zero', () => {
    const bytes = made({
      behind(out) {
        out.u8(3)
        head(out, 'virtio/device_endian')
        out.u8(2)
        head(out, 'virtio/ringsize')
        ofAllQueues(out, (queue) => out.u32(queue === 0 || queue === 700 ? 16 : 0))
        flag('virtio/broken')(out)
        head(out, 'virtio/extra_state')
        head(out, 'virtio_mmio/state')
        out.u32(1)
        out.u32(2)
        ofAllQueues(out, (queue) => {
          out.u16(queue === 0 ? 16 : 0)
          out.bytes(new Uint8Array(25).fill(queue === 0 ? 1 : 0))
        })
        head(out, 'virtio/packed_virtqueues')
        ofAllQueues(out, (queue) => {
          out.u16(queue === 0 ? 6 : 0)
          out.u8(queue === 0 ? 1 : 0)
          out.u16(queue === 0 ? 4 : 0)
          out.u8(0)
          out.u32(0)
        })
        flag('virtio/disabled', 0)(out)
      },
    })
    const state = 'virtio/extra_state:extra_state.virtio_mmio/state'
    const values = valuesOf(bytes)
    expect(values).toMatchObject({
      ...base,
      device: Uint8Array.of(3),
      'virtio/device_endian:device_endian': 2,
      'virtio/ringsize:vq[0].vring.num_default': 16,
      'virtio/ringsize:vq[700].vring.num_default': 16,
      'virtio/broken:broken': true,
      [`${state}:guest_features[1]`]: 2,
      [`${state}:vqs[0].num`]: 16,
      [`${state}:vqs[0].used[1]`]: 0x0101_0101,
      'virtio/packed_virtqueues:vq[0].last_avail_wrap_counter': true,
      'virtio/packed_virtqueues:vq[0].used_idx': 4,
      'virtio/packed_virtqueues:vq[0].inuse': 0,
      'virtio/disabled:disabled': false,
    })
    expect(Object.keys(values).length).toBeLessThan(40)
    expect(Buffer.compare(again(bytes), bytes)).toBe(0)
  })

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array()],
    ['a part of it', made().subarray(0, 30)],
    ['of a transport that is not known', made().with(0, 1)],
    ['with more queues than there can be', made({ queues: 1025 })],
    ['with fewer queues than it says', made({ queues: 2 })],
    ['with another queue chosen than there can be', made({ select: 1024 })],
    ['with a ring of nothing', made({ ring: 0 })],
    ['with a ring above the largest', made({ ring: 32_769 })],
    ['with an index into a ring that is nowhere', made({ desc: 0n })],
    ['with a subsection that is not known', made({ behind: flag('virtio/tomorrow') })],
    [
      'with a subsection of another version',
      made({
        behind(out) {
          out.u8(5)
          out.str8('virtio/broken')
          out.u32(0x101)
          out.u8(1)
        },
      }),
    ],
    [
      'with a subsection twice',
      made({
        behind(out) {
          flag('virtio/broken')(out)
          flag('virtio/broken')(out)
        },
      }),
    ],
    [
      'with a subsection that is cut off',
      made({ behind: (out) => head(out, 'virtio/64bit_features') }),
    ],
    [
      'with bytes behind a subsection',
      made({
        behind(out) {
          flag('virtio/broken')(out)
          out.u8(0)
        },
      }),
    ],
  ])('stays bytes: %s', (_, bytes) => {
    expect(innerValues('virtio', bytes)).toEqual([])
  })

  it('that is damage of many subsections does not take long', () => {
    const bytes = made({
      behind(out) {
        for (let i = 0; i < 20_000; i++) flag('virtio/broken')(out)
        out.u8(0)
      },
    })
    expect(innerValues('virtio', bytes)).toEqual([])
  })
})

describe('a made device on PCI', () => {
  const config = (capabilities: readonly number[]) => {
    const bytes = new Uint8Array(256)
    bytes.set([0xf4, 0x1a, 0x00, 0x10, 7, 1, 0x10])
    bytes.set([0x01], 0x08)
    capabilities.forEach((id, i) => {
      bytes[i === 0 ? 0x34 : 0x40 + 16 * (i - 1) + 1] = 0x40 + 16 * i
      bytes[0x40 + 16 * i] = id
      // Of MSI-X: three entries.
      bytes[0x40 + 16 * i + 2] = 2
    })
    return bytes
  }

  const device = (space: Uint8Array, msix: readonly number[], vector: readonly number[]) =>
    bytesOut((out) => {
      out.u32(2)
      out.bytes(space)
      out.bytes(new Uint8Array(16))
      out.bytes(Uint8Array.from(msix))
      out.bytes(Uint8Array.of(1, 0, 0, 0))
      out.u32(0x40)
      out.u32(0)
      out.u32(1)
      out.u32(128)
      out.u64(0n)
      out.u16(0)
      out.bytes(Uint8Array.from(vector))
      flag('virtio/started')(out)
    })

  it('has no vectors without MSI-X', () => {
    const bytes = device(config([0x09]), [], [])
    const values = valuesOf(bytes)
    expect(values).toMatchObject({ status: 1, guest_features_low: 0x40, queues: 1 })
    expect(values).toMatchObject({ 'vq[0].vring.num': 128, 'virtio/started:started': true })
    expect(values).not.toHaveProperty('pci.config_vector')
    expect(values).not.toHaveProperty('device')
    expect(Buffer.compare(again(bytes), bytes)).toBe(0)
  })

  it('has 4096 bytes of configuration and an MSI-X table where it says so', () => {
    const space = new Uint8Array(4096)
    space.set(config([0x10, 0x11]))
    const table = Array.from({ length: 3 * 16 + 1 }, (_, i) => i)
    const bytes = device(space, [...table, 0, 2], [0, 1])
    expect(valuesOf(bytes)).toMatchObject({
      'pci.msix vector 2 data': 0x2b2a_2928,
      'pci.msix pending from 0': 48,
      'pci.config_vector': 2,
      status: 1,
      'vq[0].vector': 1,
      'virtio/started:started': true,
    })
    expect(Buffer.compare(again(bytes), bytes)).toBe(0)
  })

  it.each<[string, Uint8Array]>([
    ['of another vendor', config([]).with(0, 0x86)],
    ['whose configuration is cut off', config([]).subarray(0, 100)],
  ])('stays bytes: %s', (_, space) => {
    expect(innerValues('virtio', device(space, [], []))).toEqual([])
  })
})
