"""Annotated metaphases of any lab: the public VOC layout, COCO and YOLO are read, YOLO and COCO are written."""
