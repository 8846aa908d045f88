// The byte that each item of a migration stream begins with (QEMU_VM_... in QEMU), but for sections, whose types are
// what a listener is told as well (migration-sink.ts). Reader, writer and whoever looks ahead know them from here.

/** The first word of a stream: QEVM. */
export const STREAM_MAGIC = 0x5145_564d

export const ITEM_EOF = 0x00
/** Within a device's state, and in the configuration. */
export const ITEM_SUBSECTION = 0x05
/** Behind EOF. */
export const ITEM_DESCRIPTION = 0x06
/** Behind the header. */
export const ITEM_CONFIGURATION = 0x07
export const ITEM_COMMAND = 0x08
/** Behind a section: this byte, and its number once more. */
export const ITEM_FOOTER = 0x7e
export const FOOTER_BYTES = 5
