"""The languages of the pages. Each is one file, `CODE.po`; English is their source."""
