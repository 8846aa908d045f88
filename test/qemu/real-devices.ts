// Devices of QEMU, described in code as a keeper of a QEMU guest would describe them: one with an older layout
// and subsections, one with structs that have subsections of their own, one with a large array and a value that
// must be the same on both sides.

import type { VMStateDescription } from '../../formats/qemu/vmstate/vmstate.ts'

export interface FwCfg {
  cur_entry: number
  cur_offset: number
  dma_enabled: boolean
  dma_addr: bigint
  acpi_mr_restore: boolean
  table_mr_size: bigint
  linker_mr_size: bigint
  rsdp_mr_size: bigint
}

export const freshFwCfg = (): FwCfg => ({
  cur_entry: 0,
  cur_offset: 0,
  dma_enabled: false,
  dma_addr: 0n,
  acpi_mr_restore: false,
  table_mr_size: 0n,
  linker_mr_size: 0n,
  rsdp_mr_size: 0n,
})

export const fwCfgVmsd: VMStateDescription<FwCfg> = {
  name: 'fw_cfg',
  version_id: 2,
  minimum_version_id: 1,
  fields: [
    { name: 'cur_entry', type: 'uint16' },
    {
      name: 'cur_offset',
      type: 'int32_as_uint16',
      field_exists: (_device, version_id) => version_id === 1,
    },
    { name: 'cur_offset', type: 'uint32', version_id: 2 },
  ],
  subsections: [
    {
      name: 'fw_cfg/dma',
      version_id: 0,
      needed: ({ dma_enabled }) => dma_enabled,
      fields: [{ name: 'dma_addr', type: 'uint64' }],
      // In QEMU a property of the device says so; here it is seen by what comes.
      post_load(device) {
        device.dma_enabled = true
      },
    },
    {
      name: 'fw_cfg/acpi_mr',
      version_id: 1,
      minimum_version_id: 1,
      needed: ({ acpi_mr_restore }) => acpi_mr_restore,
      fields: [
        { name: 'table_mr_size', type: 'uint64' },
        { name: 'linker_mr_size', type: 'uint64' },
        { name: 'rsdp_mr_size', type: 'uint64' },
      ],
      post_load(device) {
        device.acpi_mr_restore = true
      },
    },
  ],
}

export interface Drive {
  head: number
  track: number
  sect: number
  media_rate?: number
}

export interface FloppyController {
  num_floppies: number
  drives: Drive[]
  /** And what nobody here looks at. */
  [member: string]: unknown
}

const driveVmsd: VMStateDescription<Drive> = {
  name: 'fdrive',
  version_id: 1,
  minimum_version_id: 1,
  fields: [
    { name: 'head', type: 'uint8' },
    { name: 'track', type: 'uint8' },
    { name: 'sect', type: 'uint8' },
  ],
  subsections: [
    {
      name: 'fdrive/media_rate',
      version_id: 1,
      minimum_version_id: 1,
      needed: ({ media_rate }) => media_rate !== undefined,
      fields: [{ name: 'media_rate', type: 'uint8' }],
    },
  ],
}

const byte = (name: string) => ({ name, type: 'uint8' })

const controllerVmsd: VMStateDescription<FloppyController> = {
  name: 'fdc',
  version_id: 2,
  minimum_version_id: 2,
  fields: [
    ...['sra', 'srb', 'dor_vmstate', 'tdr', 'dsr', 'msr', 'status0', 'status1', 'status2'].map(
      byte,
    ),
    { name: 'fifo', type: 'uint8', count: 512 },
    { name: 'data_pos', type: 'uint32' },
    { name: 'data_len', type: 'uint32' },
    ...['data_state', 'data_dir', 'eot', 'timer0', 'timer1', 'precomp_trk'].map(byte),
    ...['config', 'lock', 'pwrd'].map(byte),
    { name: 'num_floppies', type: 'uint8 equal' },
    { name: 'drives', type: 'struct', count: 2, vmsd: driveVmsd },
  ],
}

export const floppyVmsd: VMStateDescription<{ state: FloppyController }> = {
  name: 'fdc',
  version_id: 2,
  minimum_version_id: 2,
  fields: [{ name: 'state', type: 'struct', vmsd: controllerVmsd }],
}

export interface Mouse {
  queue_size: number
  queue: Uint32Array
  nb_queue: number
  status: number
  absolute: number
}

export const mouseVmsd: VMStateDescription<Mouse> = {
  name: 'vmmouse',
  version_id: 0,
  minimum_version_id: 0,
  fields: [
    { name: 'queue_size', type: 'int32 equal', err_hint: 'another build' },
    { name: 'queue', type: 'uint32', count: 1024 },
    { name: 'nb_queue', type: 'uint16' },
    { name: 'status', type: 'uint16' },
    { name: 'absolute', type: 'uint8' },
  ],
}
