"""Who is in the class: lists of students from Canvas, Moodle or a spreadsheet."""
