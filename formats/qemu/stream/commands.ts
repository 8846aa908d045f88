// The commands that a migration stream can hold (item 0x08), in one table: the reader checks lengths with it,
// the decoder names them by it. Only ids that QEMU 7.2 knows are read, and SWITCHOVER_START of later ones.

interface CommandRow {
  readonly name: string
  /** The lengths that its data may have, in bytes; none given means any. */
  readonly lengths?: readonly number[]
}

/** By id. */
export const MIGRATION_COMMANDS: Readonly<Record<number, CommandRow>> = {
  1: { name: 'OPEN_RETURN_PATH', lengths: [0] },
  2: { name: 'PING', lengths: [4] },
  3: { name: 'POSTCOPY_ADVISE', lengths: [0, 16] },
  4: { name: 'POSTCOPY_LISTEN', lengths: [0] },
  5: { name: 'POSTCOPY_RUN', lengths: [0] },
  6: { name: 'POSTCOPY_RAM_DISCARD' },
  7: { name: 'PACKAGED', lengths: [4] },
  8: { name: 'ENABLE_COLO', lengths: [0] },
  9: { name: 'POSTCOPY_RESUME', lengths: [0] },
  10: { name: 'RECV_BITMAP' },
  11: { name: 'SWITCHOVER_START', lengths: [0] },
}

export const COMMAND_OPEN_RETURN_PATH = 1
export const COMMAND_PING = 2
export const COMMAND_POSTCOPY_ADVISE = 3
export const COMMAND_PACKAGED = 7
export const COMMAND_ENABLE_COLO = 8

/** The name of a command, for people. */
export function nameOfCommand(id: number): string {
  return MIGRATION_COMMANDS[id]?.name ?? `command ${id}`
}

/** What is wrong with a command of this id and so many bytes of data; undefined if nothing is. */
export function faultOfCommand(id: number, length: number): string | undefined {
  const row = MIGRATION_COMMANDS[id]
  if (row === undefined) return `${id} is no command of QEMU's`
  if (row.lengths === undefined || row.lengths.includes(length)) return undefined
  return `${row.name} has ${row.lengths.join(' or ')} bytes of data, this one ${length}`
}
