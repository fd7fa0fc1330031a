-- Disks that somebody has named to be formatted: disks_skip_formatting with skip_formatting false.
ALTER TABLE host ADD COLUMN formatting_disks TEXT;
