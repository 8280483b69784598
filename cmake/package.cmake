# What is installed beside the libraries: pkg-config files and a CMake package, neither of which knows where it will lie.
include(CMakePackageConfigHelpers)

set(WHENCE_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/whence)
set(WHENCE_PC_DIR ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# Called by whence_library() with its own arguments.
function(whence_package name component)
    cmake_parse_arguments(LIB "" "DESCRIPTION;KEEP" "HEADERS;LINK;PUBLIC_LINK;NEEDS" ${ARGN})
    foreach(header IN LISTS LIB_HEADERS)
        cmake_path(GET header PARENT_PATH folder)
        install(FILES ${PROJECT_SOURCE_DIR}/include/${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/${folder})
    endforeach()
    install(TARGETS ${name} ${name}-static EXPORT ${name}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
    install(EXPORT ${name} NAMESPACE whence:: FILE ${name}-targets.cmake DESTINATION ${WHENCE_CMAKE_DIR})

    set(code "")
    set(requires "")
    set(requires_private "")
    set(libs "-L\${libdir} -l${name}")
    set(libs_private "")
    foreach(target IN LISTS LIB_LINK LIB_PUBLIC_LINK)
        whence_dependency(${target} find module)
        string(APPEND code "${find}")
        if(target STREQUAL Threads::Threads)
            set(libs_private "-pthread")
        elseif(target IN_LIST LIB_PUBLIC_LINK)
            list(APPEND requires ${module})
            string(APPEND code "if(NOT TARGET ${target})\n"
                "    set(whence_NOT_FOUND_MESSAGE \"${name} needs ${module}, which was not found\")\n"
                "    return()\n"
                "endif()\n")
        else()
            list(APPEND requires_private ${module})
        endif()
    endforeach()
    foreach(need IN LISTS LIB_NEEDS)
        list(APPEND requires "${need} = ${PROJECT_VERSION}")
    endforeach()
    # One word, so that no tool between here and the linker can reorder it.
    if(LIB_KEEP)
        set(libs "-L\${libdir} -Wl,-u,${LIB_KEEP} -Wl,--push-state,--no-as-needed,-l${name},--pop-state")
    endif()
    list(JOIN requires ", " requires)
    list(JOIN requires_private ", " requires_private)
    whence_pc_paths(prefix libdir includedir)
    configure_file(${PROJECT_SOURCE_DIR}/cmake/library.pc.in ${PROJECT_BINARY_DIR}/${name}.pc @ONLY)
    configure_file(${PROJECT_SOURCE_DIR}/cmake/component.cmake.in ${PROJECT_BINARY_DIR}/${name}-component.cmake @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/${name}.pc DESTINATION ${WHENCE_PC_DIR})
    install(FILES ${PROJECT_BINARY_DIR}/${name}-component.cmake DESTINATION ${WHENCE_CMAKE_DIR})
endfunction()

# Counted from where the .pc file lies; only a packager's absolute folders stand as they are.
function(whence_pc_paths prefix libdir includedir)
    if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
        set(${prefix} ${CMAKE_INSTALL_PREFIX} PARENT_SCOPE)
        set(${libdir} ${CMAKE_INSTALL_LIBDIR} PARENT_SCOPE)
    else()
        file(RELATIVE_PATH up "/${WHENCE_PC_DIR}" "/")
        string(REGEX REPLACE "/$" "" up "${up}")
        set(${prefix} "\${pcfiledir}/${up}" PARENT_SCOPE)
        set(${libdir} "\${prefix}/${CMAKE_INSTALL_LIBDIR}" PARENT_SCOPE)
    endif()
    if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
        set(${includedir} ${CMAKE_INSTALL_INCLUDEDIR} PARENT_SCOPE)
    else()
        set(${includedir} "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}" PARENT_SCOPE)
    endif()
endfunction()

if(WHENCE_INSTALL)
    configure_file(${PROJECT_SOURCE_DIR}/cmake/whence-config.cmake.in ${PROJECT_BINARY_DIR}/whence-config.cmake @ONLY)
    # The same promise as the SONAME's: programs built against 0.x go on with every later 0.y.
    write_basic_package_version_file(${PROJECT_BINARY_DIR}/whence-config-version.cmake COMPATIBILITY SameMajorVersion)
    install(FILES ${PROJECT_BINARY_DIR}/whence-config.cmake ${PROJECT_BINARY_DIR}/whence-config-version.cmake
        DESTINATION ${WHENCE_CMAKE_DIR})
endif()
