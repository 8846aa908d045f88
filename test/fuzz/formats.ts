// The formats that are fuzzed, each with the compiled file of its target.

import type { FuzzTarget } from './fuzz-target.ts'

export const FORMATS = {
  xen: 'test/fuzz/targets/xen-streams.js',
  recordings: 'test/fuzz/targets/recordings.js',
  qemu: 'test/fuzz/targets/qemu-streams.js',
  descriptions: 'test/fuzz/targets/descriptions.js',
  ber: 'test/fuzz/targets/ber-files.js',
  'guest-states': 'test/fuzz/targets/guest-states.js',
} as const

export type FormatName = keyof typeof FORMATS

export const FORMAT_NAMES = Object.keys(FORMATS) as FormatName[]

export const isFormat = (name: string): name is FormatName => name in FORMATS

/** The target as it is, without probes. Under vitest this file is a source. */
export async function targetOf(format: FormatName): Promise<FuzzTarget> {
  const file = FORMATS[format].replace('test/fuzz/', './')
  const isSource = import.meta.filename.endsWith('.ts')
  const path = isSource ? file.replace(/js$/, 'ts') : file
  const module: { target: FuzzTarget } = await import(path)
  return module.target
}
